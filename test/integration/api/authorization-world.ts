import { randomUUID } from 'node:crypto';
import { inContext } from '../../../src/db/connection.ts';
import { notificationId } from '../../../src/domain/notification.ts';
import { markFailed } from '../../../src/notifications/ledger/attempts.ts';
import { claimToSend } from '../../../src/notifications/ledger/claim.ts';
import { planNotification } from '../../../src/notifications/ledger/rows.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { callInSick } from '../../../src/scheduling/sick-day/sick-day.ts';
import { takeNextStep } from '../../../src/scheduling/sick-day/step.ts';
import { aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import type { TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, type RunningApi } from './running-api.ts';

/** The names are those of the API's path parameters. */
export const THINGS = [
  'clinicId',
  'patientId',
  'providerId',
  'appointmentId',
  'holdId',
  'seriesId',
  'entryId',
  'notificationId',
  'replayId',
  'runId',
  'timeOffId',
  'closureId',
  'sickDayId',
  'offerId',
  'taskId',
  /** A visit that is over and that nobody has marked. */
  'unmarkedVisitId',
  /** The visit that the offer is about. */
  'offeredVisitId',
] as const;

/** One thing of each kind at a clinic, all about one patient and one provider. */
export interface Things extends Readonly<Record<(typeof THINGS)[number], string>> {
  /** Of the appointment. */
  readonly confirmationCode: string;
  /** A start on the provider's grid that nobody has. */
  readonly freeStart: string;
  /** A date on which the provider works, in the clinic's zone. */
  readonly date: string;
}

/**
 * @param name - is in every text of theirs
 * @throws Error when one of them cannot be made: nothing is skipped
 */
export async function thingsAt(
  api: RunningApi,
  database: TestDatabase,
  clinic: Clinic,
  name = 'Riverside',
): Promise<Things> {
  const providerId = await aProvider(database.owner, clinic, { name: `Dr. ${name}`, specialty: `${name}ology` });
  const patientId = await aPatient(database.owner, clinic, { givenName: `${name}given`, familyName: `${name}family` });
  const [patient, admin] = [await asPatient(patientId), await asAdmin(clinic.clinicId)];
  const start = (days: number, time: string) => slotAt(clinic, days, time).toISOString();
  const make = async <Made>(url: string, payload: object, headers: { authorization: string }): Promise<Made> => {
    const response = await api.app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers });
    if (response.statusCode >= 300) throw new Error(`${url} answered ${response.statusCode} ${response.body}`);
    return response.json<Made>();
  };
  const visit = { patientId, providerId, durationMinutes: 30 };
  const { appointmentId, confirmationCode } = await make<{ appointmentId: string; confirmationCode: string }>(
    '/appointments',
    { ...visit, appointmentTime: start(5, '10:00') },
    patient,
  );
  const { holdId } = await make<{ holdId: string }>(
    '/holds',
    { providerId, durationMinutes: 30, startTime: start(5, '11:00') },
    patient,
  );
  const { seriesId } = await make<{ seriesId: string }>(
    '/appointment-series',
    { ...visit, appointmentTime: start(6, '10:00'), everyWeeks: 1, count: 2 },
    patient,
  );
  const date = start(5, '12:00').slice(0, 10);
  const { entryId } = await make<{ entryId: string }>(
    '/waitlist-entries',
    { ...visit, earliestDate: date, latestDate: date },
    patient,
  );
  await database.owner.db
    .insertInto('ehr_connection')
    .values({ clinic_id: clinic.clinicId, base_url: `https://${name.toLowerCase()}.ehr.test/fhir` })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const failed = await aFailedNotification(database, clinic, {
    appointmentId,
    patientId,
    plannedFor: slotAt(clinic, 5, '10:00'),
  });
  const { replayId } = await make<{ replayId: string }>(
    `/notifications/${failed}/replay`,
    { reason: `${name} was down` },
    admin,
  );
  const { runId } = await make<{ runId: string }>('/ehr-syncs', {}, admin);
  // Far away, so that nothing else here is in their way.
  const { timeOffId } = await make<{ timeOffId: string }>(
    `/providers/${providerId}/time-off`,
    { from: '2090-01-01T08:00:00Z', to: '2090-01-01T12:00:00Z' },
    admin,
  );
  const { closureId } = await make<{ closureId: string }>(
    `/clinics/${clinic.clinicId}/closures`,
    { fromDate: '2090-01-01', toDate: '2090-01-01', name: `${name} holiday` },
    admin,
  );
  await database.owner.db
    .insertInto('availability_override')
    .values({
      availability_override_id: randomUUID(),
      clinic_id: clinic.clinicId,
      provider_id: providerId,
      date,
      start_time: '08:00',
      end_time: '18:00',
    })
    .execute();
  return {
    clinicId: clinic.clinicId,
    patientId,
    providerId,
    appointmentId,
    confirmationCode,
    holdId,
    seriesId,
    entryId,
    notificationId: failed,
    replayId,
    runId,
    timeOffId,
    closureId,
    ...(await aSickDay(database, clinic, { providerId, patientId })),
    unmarkedVisitId: await anUnmarkedVisit(database, clinic, { providerId, patientId }),
    freeStart: start(7, '14:00'),
    date,
  };
}

/** A visit of yesterday: it was booked for a later day, which has gone by. */
async function anUnmarkedVisit(
  database: TestDatabase,
  clinic: Clinic,
  about: { readonly providerId: string; readonly patientId: string },
): Promise<string> {
  const deps = createSchedulingDeps(database.app);
  const act = { actor: { kind: 'system', id: 'test' }, clinicId: clinic.clinicId, now: new Date() } as const;
  const visit = { ...about, durationMinutes: 30, registersPatient: false, appointmentTime: slotAt(clinic, 8, '10:00') };
  const { appointmentId } = await bookAppointment(deps, act, visit);
  await database.owner.db
    .updateTable('appointment')
    .set({ appointment_time: slotAt(clinic, -1, '10:00') })
    .where('appointment_id', '=', appointmentId)
    .execute();
  return appointmentId;
}

/** A sick day far ahead, of which one patient has an offer and the desk has to call another. */
async function aSickDay(
  database: TestDatabase,
  clinic: Clinic,
  about: { readonly providerId: string; readonly patientId: string },
): Promise<Pick<Things, 'sickDayId' | 'offerId' | 'taskId' | 'offeredVisitId'>> {
  const deps = createSchedulingDeps(database.app);
  const act = { actor: { kind: 'system', id: 'test' }, clinicId: clinic.clinicId, now: new Date() } as const;
  const unreachable = await aPatient(database.owner, clinic, { phone: null, email: null });
  const visits: string[] = [];
  for (const [patientId, time] of [
    [about.patientId, '10:00'],
    [unreachable, '11:00'],
  ] as const) {
    const visit = { patientId, providerId: about.providerId, durationMinutes: 30, registersPatient: false };
    const booked = await bookAppointment(deps, act, { ...visit, appointmentTime: slotAt(clinic, 30, time) });
    visits.push(booked.appointmentId);
  }
  const { sickDayId } = await callInSick(deps, act, {
    providerId: about.providerId,
    from: slotAt(clinic, 30, '00:00'),
    to: slotAt(clinic, 31, '00:00'),
    reason: 'illness',
  });
  for (const appointmentId of visits) await takeNextStep(deps, act, { sickDayId, appointmentId });
  const { offer_id: offerId, appointment_id: offeredVisitId } = await database.owner.db
    .selectFrom('offer')
    .select(['offer_id', 'appointment_id'])
    .where('sick_day_id', '=', sickDayId)
    .executeTakeFirstOrThrow();
  const { task_id: taskId } = await database.owner.db
    .selectFrom('task')
    .select('task_id')
    .where('sick_day_id', '=', sickDayId)
    .executeTakeFirstOrThrow();
  return { sickDayId, offerId, taskId, offeredVisitId };
}

/** Ids of nothing. */
export function nothing(like: Things): Things {
  return { ...like, ...Object.fromEntries(THINGS.map((name) => [name, randomUUID()])) };
}

/** A confirmation that the message provider refused. */
async function aFailedNotification(
  { app }: TestDatabase,
  { clinicId }: Clinic,
  about: { readonly appointmentId: string; readonly patientId: string; readonly plannedFor: Date },
): Promise<string> {
  const id = notificationId({ appointmentId: about.appointmentId, kind: 'confirmation', version: 1, channel: 'sms' });
  await inContext(app.db, { clinicId }, async (tx) => {
    await planNotification(tx, {
      ...about,
      notificationId: id,
      clinicId,
      kind: 'confirmation',
      channel: 'sms',
      appointmentVersion: 1,
      dueAt: new Date(),
    });
    await claimToSend(tx, { notificationId: id, now: new Date(), leaseMs: 10_000 });
    await markFailed(tx, { notificationId: id, attempt: 1, reason: 'twilio_30003' });
  });
  return id;
}
