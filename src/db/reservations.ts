import { sql } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { Interval } from '../domain/interval.ts';
import type { Tx } from './connection.ts';
import { busyRanges, range, ranges, type TimeOf } from './look-ups.ts';

/** Whose time an appointment takes: the provider's with the buffers, the patient's without. */
export interface AppointmentTimes {
  readonly clinicId: string;
  readonly appointmentId: string;
  readonly providerId: string;
  readonly patientId: string;
  /** The visit with the provider's buffers. */
  readonly during: Interval;
  readonly visit: Interval;
}

/** Frees the time of a provider that has expired and touches `during`; whoever meets an expired reservation deletes it. */
export async function expireReservations(tx: Tx, resourceId: string, during: Interval): Promise<void> {
  await sql`select expire_reservations(${resourceId}, ${range(during.from, during.to)}::tstzrange)`.execute(tx);
}

/** As {@link expireReservations}, for many times in one statement. */
export async function expireReservationsOfEach(tx: Tx, times: readonly TimeOf[]): Promise<void> {
  await sql`select expire_reservations(resource_id, during)
    from unnest(${times.map((each) => each.resourceId)}::uuid[], ${ranges(times)}::tstzrange[]) as asked (resource_id, during)`.execute(
    tx,
  );
}

/** @throws AppError `day_full` when the provider's reservations that start on the day have reached the limit. */
export async function assertDayNotFull(tx: Tx, providerId: string, day: Interval, limit: number): Promise<void> {
  if (await isDayFull(tx, providerId, day, limit)) throw new AppError('day_full');
}

/** Has the day reached the provider's limit? Holds and the waitlist's slots count, times that are busy in the EHR do not. */
export async function isDayFull(tx: Tx, providerId: string, day: Interval, limit: number): Promise<boolean> {
  const busy = await busyRanges(tx, providerId, day.from, day.to);
  return busy.filter((each) => each.purpose !== 'EXTERNAL' && each.from >= day.from).length >= limit;
}

/**
 * Reserves the provider and the patient. The constraint decides: fewer rows than asked is a conflict, and the whole transaction must be given up.
 * @throws AppError `slot_taken` or `patient_busy`
 */
export async function reserveAppointment(tx: Tx, times: AppointmentTimes): Promise<void> {
  const { clinicId, appointmentId, providerId, patientId, during, visit } = times;
  const { rows } = await sql<{ resource_id: string }>`
    insert into reservation (clinic_id, resource_id, during, purpose, appointment_id) values
      (${clinicId}, ${providerId}, ${range(during.from, during.to)}::tstzrange, 'APPOINTMENT', ${appointmentId}),
      (${clinicId}, ${patientId}, ${range(visit.from, visit.to)}::tstzrange, 'APPOINTMENT', ${appointmentId})
    on conflict do nothing returning resource_id`.execute(tx);
  if (rows.length === 2) return;
  throw new AppError(rows.some((row) => row.resource_id === providerId) ? 'patient_busy' : 'slot_taken');
}

/**
 * As {@link reserveAppointment}, for many in one statement. Returns those that the constraint refused and why; if there are any, the whole transaction
 * must be given up.
 */
export async function reserveAppointments(
  tx: Tx,
  appointments: readonly AppointmentTimes[],
): Promise<{ readonly appointmentId: string; readonly code: 'slot_taken' | 'patient_busy' }[]> {
  const wanted = appointments.flatMap(({ clinicId, appointmentId, providerId, patientId, during, visit }) => [
    { clinicId, appointmentId, resourceId: providerId, ...during },
    { clinicId, appointmentId, resourceId: patientId, ...visit },
  ]);
  const { rows } = await sql<{ appointment_id: string; resource_id: string }>`
    insert into reservation (clinic_id, resource_id, during, purpose, appointment_id)
    select clinic_id, resource_id, during, 'APPOINTMENT', appointment_id
    from unnest(${wanted.map((each) => each.clinicId)}::uuid[], ${wanted.map((each) => each.resourceId)}::uuid[], ${ranges(wanted)}::tstzrange[],
      ${wanted.map((each) => each.appointmentId)}::uuid[]) as wanted (clinic_id, resource_id, during, appointment_id)
    on conflict do nothing returning appointment_id, resource_id`.execute(tx);
  const isReserved = (appointmentId: string, resourceId: string): boolean =>
    rows.some((row) => row.appointment_id === appointmentId && row.resource_id === resourceId);
  return appointments
    .filter((each) => ![each.providerId, each.patientId].every((id) => isReserved(each.appointmentId, id)))
    .map(({ appointmentId, providerId }) => ({
      appointmentId,
      code: isReserved(appointmentId, providerId) ? 'patient_busy' : 'slot_taken',
    }));
}

/** Gives the appointment's time back. */
export async function freeAppointment(tx: Tx, appointmentId: string): Promise<void> {
  await tx.deleteFrom('reservation').where('appointment_id', '=', appointmentId).execute();
}

/** Gives the time of many appointments back. Returns what each had of whom, buffers inside. */
export async function freeAppointments(
  tx: Tx,
  appointmentIds: readonly string[],
): Promise<(TimeOf & { readonly appointmentId: string })[]> {
  const { rows } = await sql<{ appointment_id: string; resource_id: string; from_time: Date; to_time: Date }>`
    delete from reservation where appointment_id = any(${[...appointmentIds]}::uuid[])
    returning appointment_id, resource_id, lower(during) as from_time, upper(during) as to_time`.execute(tx);
  return rows.map((row) => ({
    appointmentId: row.appointment_id,
    resourceId: row.resource_id,
    from: row.from_time.getTime(),
    to: row.to_time.getTime(),
  }));
}

/** The provider's time that the appointment holds, buffers inside; undefined when it holds none. */
export async function providerTimeOf(tx: Tx, appointmentId: string, providerId: string): Promise<Interval | undefined> {
  const { rows } = await sql<{ from_time: Date; to_time: Date }>`
    select lower(during) as from_time, upper(during) as to_time from reservation
    where appointment_id = ${appointmentId} and resource_id = ${providerId}`.execute(tx);
  const row = rows[0];
  return row === undefined ? undefined : { from: row.from_time.getTime(), to: row.to_time.getTime() };
}

/** Keeps freed time of the provider for its round, for `minutes` from now. Silently nothing when somebody else already has it. */
export async function keepForRound(
  tx: Tx,
  kept: {
    readonly clinicId: string;
    readonly providerId: string;
    readonly roundId: string;
    readonly during: Interval;
    readonly minutes: number;
  },
): Promise<boolean> {
  const { rows } = await sql<{ reservation_id: string }>`
    insert into reservation (clinic_id, resource_id, during, purpose, round_id, expires_at)
    values (${kept.clinicId}, ${kept.providerId}, ${range(kept.during.from, kept.during.to)}::tstzrange, 'WAITLIST', ${kept.roundId},
      now() + make_interval(mins => ${kept.minutes}))
    on conflict do nothing returning reservation_id`.execute(tx);
  return rows.length === 1;
}

/** Ends the round's claim on the slot. Returns false when it had expired and is gone. */
export async function freeRound(tx: Tx, roundId: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('reservation')
    .where('round_id', '=', roundId)
    .returning(sql<boolean>`expires_at > now()`.as('live'))
    .execute();
  return result.some((row) => row.live);
}
