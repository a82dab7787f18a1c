import { sql } from 'kysely';
import { v5 as uuidV5 } from 'uuid';
import { insertClinic } from '../../src/db/clinics.ts';
import type { Connection } from '../../src/db/connection.ts';
import { addDays, localDate } from '../../src/domain/time-zone.ts';
import { IDENTIFIER_SYSTEMS } from '../../src/integrations/fhir/appointment-resource.ts';
import { NETWORK, seededId, WAITING, type SeededClinic } from './network.ts';

/** Writes the network as the owner. For an empty database. */
export async function seedDatabase(owner: Connection, sandboxUrl: string): Promise<void> {
  await owner.db.transaction().execute(async (tx) => {
    for (const clinic of NETWORK) {
      const { clinicId } = clinic;
      await insertClinic(tx, clinic);
      await tx
        .insertInto('ehr_connection')
        .values({ clinic_id: clinicId, base_url: `${sandboxUrl}/ehr/${clinic.slug}/fhir` })
        .execute();
      for (const provider of clinic.providers) {
        await tx
          .insertInto('provider')
          .values({
            provider_id: provider.providerId,
            clinic_id: clinicId,
            name: provider.name,
            specialty: provider.specialty,
            max_daily_appointments: provider.maxDailyAppointments,
          })
          .execute();
        const windows = (kind: string, [start_time, end_time]: readonly [string, string]) =>
          provider.days.map((day_of_week) => ({
            id: uuidV5(`${kind} ${day_of_week}`, provider.providerId),
            row: { clinic_id: clinicId, provider_id: provider.providerId, day_of_week, start_time, end_time },
          }));
        await tx
          .insertInto('availability')
          .values(windows('availability', provider.hours).map(({ id, row }) => ({ availability_id: id, ...row })))
          .execute();
        await tx
          .insertInto('provider_break')
          .values(windows('break', provider.break).map(({ id, row }) => ({ provider_break_id: id, ...row })))
          .execute();
      }
      await tx
        .insertInto('patient')
        .values(
          clinic.patients.map((patient) => ({
            patient_id: patient.patientId,
            given_name: patient.givenName,
            family_name: patient.familyName,
            birth_date: patient.birthDate,
            phone: patient.phone,
            email: patient.email,
            locale: patient.locale,
            time_zone: clinic.timeZone,
            preferred_channel: patient.preferredChannel,
          })),
        )
        .execute();
      await tx
        .insertInto('registration')
        .values(clinic.patients.map((patient) => ({ clinic_id: clinicId, patient_id: patient.patientId })))
        .execute();
    }
    for (const [index, waiting] of WAITING.entries()) {
      const clinic = NETWORK.find((each) => each.slug === waiting.clinic);
      const patient = clinic?.patients[waiting.patient];
      if (clinic === undefined || patient === undefined)
        throw new Error(`no such patient: ${waiting.clinic} ${waiting.patient}`);
      const today = localDate(clinic.timeZone, Date.now());
      await tx
        .insertInto('waitlist_entry')
        .values({
          entry_id: seededId('waitlist_entry', String(index)),
          clinic_id: clinic.clinicId,
          patient_id: patient.patientId,
          provider_id: null,
          specialty: waiting.specialty,
          duration_minutes: 30,
          earliest_date: today,
          latest_date: addDays(today, 60),
          priority: waiting.priority,
          status: 'WAITING',
          booked_appointment_id: null,
          created_at: sql`now() - make_interval(days => ${index + 1})`,
        })
        .execute();
    }
  });
}

/** Someone who may ask the OAuth2 service for tokens. */
export interface LocalClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
}

const STAFF_SCOPES = [
  ...[
    'availability:read',
    'appointments:read',
    'appointments:write',
    'appointments:attend',
    'schedule:write',
    'waitlist:write',
  ],
  ...['notifications:read', 'notifications:replay', 'reports:read', 'clinic:write', 'ehr:sync'],
];
const PATIENT_SCOPES = ['availability:read', 'appointments:read', 'appointments:write', 'waitlist:write'];
const PROVIDER_SCOPES = ['availability:read', 'appointments:read', 'appointments:attend', 'schedule:write'];
const SUPPORT_SCOPES = ['appointments:read', 'notifications:read', 'notifications:replay'];

/** The local OAuth2 clients: each clinic's front desk and support, its first provider and its first ten patients. The secret is the client's id. */
function localClients(): LocalClient[] {
  const client = (clientId: string, claims: LocalClient['claims'], scopes: readonly string[]): LocalClient => ({
    clientId,
    clientSecret: clientId,
    claims,
    scopes,
  });
  return NETWORK.flatMap(({ slug, clinicId, providers, patients }) => [
    client(`${slug}-desk`, { role: 'clinic_admin', clinic_id: clinicId }, STAFF_SCOPES),
    client(`${slug}-support`, { role: 'support', clinic_id: clinicId }, SUPPORT_SCOPES),
    ...providers
      .slice(0, 1)
      .map(({ providerId }) =>
        client(`${slug}-provider`, { role: 'provider', clinic_id: clinicId, provider_id: providerId }, PROVIDER_SCOPES),
      ),
    ...patients
      .slice(0, 10)
      .map(({ patientId }, n) =>
        client(`${slug}-patient-${n}`, { role: 'patient', patient_id: patientId }, PATIENT_SCOPES),
      ),
  ]);
}

/** Gives the sandbox its OAuth2 clients, and its EHRs the same providers, patients and clinics, linked by our identifiers. */
export async function seedSandbox(sandboxUrl: string): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${sandboxUrl}/control${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`sandbox ${path}: ${response.status} ${await response.text()}`);
  };
  await Promise.all([
    ...localClients().map((client) => post('/oauth2/clients', client)),
    ...NETWORK.map((clinic) => post(`/ehr/${clinic.slug}/seed`, { resources: ehrResources(clinic) })),
  ]);
}

function ehrResources(clinic: SeededClinic): unknown[] {
  return [
    {
      resourceType: 'Location',
      name: clinic.name,
      identifier: [{ system: IDENTIFIER_SYSTEMS.location, value: clinic.clinicId }],
    },
    ...clinic.providers.map((provider) => ({
      resourceType: 'Practitioner',
      identifier: [{ system: IDENTIFIER_SYSTEMS.practitioner, value: provider.providerId }],
      name: [{ text: provider.name }],
    })),
    ...clinic.patients.map((patient) => ({
      resourceType: 'Patient',
      identifier: [{ system: IDENTIFIER_SYSTEMS.patient, value: patient.patientId }],
      name: [{ family: patient.familyName, given: [patient.givenName] }],
      birthDate: patient.birthDate,
    })),
  ];
}
