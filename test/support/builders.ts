import { randomInt } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { Connection } from '../../src/db/connection.ts';
import { DEFAULT_POLICY, type ClinicPolicy } from '../../src/domain/policy.ts';
import { addDays, localDate, zonedInstant } from '../../src/domain/time-zone.ts';

/* Records with sensible defaults, written as the owner. Every test makes its own. */

export interface Clinic {
  readonly clinicId: string;
  readonly timeZone: string;
  readonly slug: string;
}

export async function aClinic(
  owner: Connection,
  given: { timeZone?: string; policy?: Partial<ClinicPolicy>; name?: string } = {},
): Promise<Clinic> {
  const clinicId = uuidV7();
  const timeZone = given.timeZone ?? 'Europe/Berlin';
  const slug = `clinic-${clinicId.slice(-12)}`;
  await owner.db
    .insertInto('clinic')
    .values({
      clinic_id: clinicId,
      name: given.name ?? 'Riverside Clinic',
      slug,
      time_zone: timeZone,
      policy: JSON.stringify({ ...DEFAULT_POLICY, ...given.policy }),
    })
    .execute();
  return { clinicId, timeZone, slug };
}

/** A provider who works every day, 08:00 to 18:00 unless told otherwise. */
export async function aProvider(
  owner: Connection,
  clinic: Clinic,
  given: {
    specialty?: string;
    name?: string;
    maxDailyAppointments?: number;
    startTime?: string;
    endTime?: string;
  } = {},
): Promise<string> {
  const providerId = uuidV7();
  await owner.db
    .insertInto('provider')
    .values({
      provider_id: providerId,
      clinic_id: clinic.clinicId,
      name: given.name ?? 'Dr. Ada Example',
      specialty: given.specialty ?? 'General practice',
      max_daily_appointments: given.maxDailyAppointments ?? 40,
    })
    .execute();
  await owner.db
    .insertInto('availability')
    .values(
      [1, 2, 3, 4, 5, 6, 7].map((day) => ({
        availability_id: uuidV7(),
        clinic_id: clinic.clinicId,
        provider_id: providerId,
        day_of_week: day,
        start_time: given.startTime ?? '08:00',
        end_time: given.endTime ?? '18:00',
      })),
    )
    .execute();
  return providerId;
}

/** A patient, registered at the clinic if one is given. */
export async function aPatient(
  owner: Connection,
  clinic?: Clinic,
  given: {
    givenName?: string;
    familyName?: string;
    phone?: string | null;
    email?: string | null;
    locale?: string;
    preferredChannel?: 'sms' | 'email';
  } = {},
): Promise<string> {
  const patientId = uuidV7();
  await owner.db
    .insertInto('patient')
    .values({
      patient_id: patientId,
      given_name: given.givenName ?? 'Jordan',
      family_name: given.familyName ?? 'Sample',
      birth_date: '1980-05-17',
      phone: given.phone === undefined ? `+1500${randomInt(1_000_000, 9_999_999)}` : given.phone,
      email: given.email === undefined ? `${patientId}@patients.example` : given.email,
      locale: given.locale ?? 'en-US',
      time_zone: clinic?.timeZone ?? 'Europe/Berlin',
      preferred_channel: given.preferredChannel ?? 'sms',
    })
    .execute();
  if (clinic !== undefined) {
    await owner.db.insertInto('registration').values({ clinic_id: clinic.clinicId, patient_id: patientId }).execute();
  }
  return patientId;
}

/** When the test file began. Days are counted from then, so that midnight in the midst of a test moves nothing. */
const BEGAN = Date.now();

/** The date `days` days from now in the clinic's zone. */
export function dateIn({ timeZone }: Pick<Clinic, 'timeZone'>, days: number): string {
  return addDays(localDate(timeZone, BEGAN), days);
}

/** An instant `days` days from now at a wall-clock time in the clinic's zone: a start on the default grid. */
export function slotAt(clinic: Clinic, days: number, time: string): Date {
  return new Date(zonedInstant(clinic.timeZone, dateIn(clinic, days), time));
}
