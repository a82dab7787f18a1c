import { sql, type Selectable } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { Tx } from './connection.ts';
import { isReferenced } from './constraint-errors.ts';
import type { Database } from './schema.ts';

export type PatientRow = Selectable<Database['patient']>;
export type RegistrationRow = Selectable<Database['registration']>;

/** What is known of a patient. */
export interface PatientFacts {
  readonly givenName: string;
  readonly familyName: string;
  /** ISO date. */
  readonly birthDate: string;
  /** E.164, e.g. `+4930123456`. */
  readonly phone: string | null;
  readonly email: string | null;
  /** BCP 47. */
  readonly locale: string;
  /** IANA. */
  readonly timeZone: string;
  readonly preferredChannel: 'sms' | 'email';
}

/** The patient, if the context sees them. */
export function findPatient(tx: Tx, patientId: string): Promise<PatientRow | undefined> {
  return tx.selectFrom('patient').selectAll().where('patient_id', '=', patientId).executeTakeFirst();
}

/** The patient, locked until the transaction ends against other changes; bookings, which only refer to them, go on. */
export function lockPatient(tx: Tx, patientId: string): Promise<PatientRow | undefined> {
  return tx.selectFrom('patient').selectAll().where('patient_id', '=', patientId).forNoKeyUpdate().executeTakeFirst();
}

/** Writes a new patient and their registration at the context's clinic (migration 0016): no other way makes a patient whom staff have entered. */
export async function insertRegisteredPatient(tx: Tx, patientId: string, patient: PatientFacts): Promise<void> {
  await sql`select create_registered_patient(${JSON.stringify({ patientId, ...patient })}::jsonb)`.execute(tx);
}

export function updatePatient(tx: Tx, patientId: string, changed: Partial<PatientFacts>): Promise<PatientRow> {
  const { givenName, familyName, birthDate, phone, email, locale, timeZone, preferredChannel } = changed;
  return tx
    .updateTable('patient')
    .set({
      ...(givenName === undefined ? {} : { given_name: givenName }),
      ...(familyName === undefined ? {} : { family_name: familyName }),
      ...(birthDate === undefined ? {} : { birth_date: birthDate }),
      ...(phone === undefined ? {} : { phone }),
      ...(email === undefined ? {} : { email }),
      ...(locale === undefined ? {} : { locale }),
      ...(timeZone === undefined ? {} : { time_zone: timeZone }),
      ...(preferredChannel === undefined ? {} : { preferred_channel: preferredChannel }),
    })
    .where('patient_id', '=', patientId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** A row's facts. */
export function factsOf(row: PatientRow): PatientFacts {
  return {
    givenName: row.given_name,
    familyName: row.family_name,
    birthDate: row.birth_date,
    phone: row.phone,
    email: row.email,
    locale: row.locale,
    timeZone: row.time_zone,
    preferredChannel: row.preferred_channel,
  };
}

/** Registers the patient at the context's clinic. undefined: they were registered before. @throws AppError `not_found` */
export function insertRegistration(
  tx: Tx,
  registration: { readonly clinicId: string; readonly patientId: string },
): Promise<RegistrationRow | undefined> {
  return tx
    .insertInto('registration')
    .values({ clinic_id: registration.clinicId, patient_id: registration.patientId })
    .onConflict((oc) => oc.doNothing())
    .returningAll()
    .executeTakeFirst();
}

export function findRegistration(tx: Tx, patientId: string): Promise<RegistrationRow | undefined> {
  return tx.selectFrom('registration').selectAll().where('patient_id', '=', patientId).executeTakeFirst();
}

/**
 * Ends the registration at the context's clinic; false: there was none. Foreign keys keep it while anything at the clinic refers to it.
 * @throws AppError `registration_in_use`; the transaction must be given up
 */
export async function deleteRegistration(
  tx: Tx,
  registration: { readonly clinicId: string; readonly patientId: string },
): Promise<boolean> {
  try {
    const { numDeletedRows } = await tx
      .deleteFrom('registration')
      .where('clinic_id', '=', registration.clinicId)
      .where('patient_id', '=', registration.patientId)
      .executeTakeFirst();
    return numDeletedRows === 1n;
  } catch (error) {
    if (isReferenced(error)) throw new AppError('registration_in_use', {}, { cause: error });
    throw error;
  }
}

export interface PatientFilter {
  /** What the family name begins with, in capitals or not. */
  readonly familyName?: string | undefined;
  readonly birthDate?: string | undefined;
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  /** The last patient of the page before. Not their name: cursors appear in addresses. */
  readonly afterId?: string | undefined;
  readonly limit: number;
}

/** Names in the order of a telephone book, whatever the database's own collation is. */
const FAMILY_NAME = sql<string>`patient.family_name collate "und-x-icu"`;
const GIVEN_NAME = sql<string>`patient.given_name collate "und-x-icu"`;

/**
 * The patients registered at the context's clinic, by name; one row more than `limit` when there is a next page. undefined: whoever the page before ended
 * with is no longer there.
 */
export async function patientsWhere(tx: Tx, filter: PatientFilter): Promise<PatientRow[] | undefined> {
  // From the registrations, so that one clinic's patients are read and not everybody's.
  let query = tx
    .selectFrom('registration')
    .innerJoin('patient', 'patient.patient_id', 'registration.patient_id')
    .selectAll('patient')
    .where('registration.clinic_id', '=', sql<string>`current_clinic()`)
    .orderBy(FAMILY_NAME)
    .orderBy(GIVEN_NAME)
    .orderBy('patient.patient_id')
    .limit(filter.limit + 1);
  const { familyName, birthDate, phone, email, afterId } = filter;
  if (familyName !== undefined) {
    query = query.where(sql<boolean>`starts_with(lower(patient.family_name), lower(${familyName}))`);
  }
  if (birthDate !== undefined) query = query.where('patient.birth_date', '=', birthDate);
  if (phone !== undefined) query = query.where('patient.phone', '=', phone);
  if (email !== undefined) query = query.where(sql<boolean>`lower(patient.email) = lower(${email})`);
  if (afterId !== undefined) {
    const after = await findPatient(tx, afterId);
    if (after === undefined) return undefined;
    query = query.where(
      sql<boolean>`(${FAMILY_NAME}, ${GIVEN_NAME}, patient.patient_id) > (${after.family_name}, ${after.given_name}, ${after.patient_id})`,
    );
  }
  return query.execute();
}
