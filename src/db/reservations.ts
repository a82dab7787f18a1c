import { sql } from 'kysely';
import { MINUTE_MS, visitOf } from '../domain/clock.ts';
import { AppError } from '../domain/errors.ts';
import type { ClinicPolicy } from '../domain/policy.ts';
import type { AppointmentRow } from './appointments.ts';
import type { Tx } from './connection.ts';
import type { FreedTime } from './places.ts';

/** Gives the appointment's time back. Returns what it had of whom, buffers inside. */
export async function freeAppointment(tx: Tx, appointmentId: string): Promise<FreedTime[]> {
  const { rows } = await sql<{ resource_id: string; from_time: Date; to_time: Date }>`
    delete from reservation where appointment_id = ${appointmentId}
    returning resource_id, lower(during) as from_time, upper(during) as to_time`.execute(tx);
  return rows.map((row) => ({
    appointmentId,
    resourceId: row.resource_id,
    from: row.from_time.getTime(),
    to: row.to_time.getTime(),
  }));
}

type Buffers = Pick<ClinicPolicy, 'bufferBeforeMinutes' | 'bufferAfterMinutes'>;

/** The visit ends now: the patient is free from here on, and the provider after the buffer. */
export async function endReservations(
  tx: Tx,
  row: AppointmentRow,
  now: Date,
  { bufferAfterMinutes }: Pick<Buffers, 'bufferAfterMinutes'>,
): Promise<void> {
  const providerFree = new Date(now.getTime() + bufferAfterMinutes * MINUTE_MS);
  await sql`
    with ends as (
      select reservation_id, lower(during) as from_time, upper(during) as to_time,
        case when resource_id = ${row.provider_id}::uuid then ${providerFree}::timestamptz else ${now}::timestamptz end as free_at
      from reservation where appointment_id = ${row.appointment_id}
    ), gone as (
      delete from reservation r using ends where r.reservation_id = ends.reservation_id and free_at <= from_time
    )
    update reservation r set during = tstzrange(from_time, least(to_time, free_at), '[)')
    from ends where r.reservation_id = ends.reservation_id and free_at > from_time`.execute(tx);
}

/**
 * The visit has its whole time again. The caller has the locks of its provider and its patient.
 * @throws AppError `slot_taken`, `patient_busy` when somebody else has got what {@link endReservations} gave back
 */
export async function restoreReservations(tx: Tx, row: AppointmentRow, buffers: Buffers): Promise<void> {
  const { from, to } = visitOf(row);
  const busyFrom = new Date(from - buffers.bufferBeforeMinutes * MINUTE_MS);
  const busyTo = new Date(to + buffers.bufferAfterMinutes * MINUTE_MS);
  await freeAppointment(tx, row.appointment_id);
  await sql`select expire_reservations(${row.provider_id}, tstzrange(${busyFrom}::timestamptz, ${busyTo}::timestamptz, '[)'))`.execute(
    tx,
  );
  const { rows } = await sql<{ resource_id: string }>`
    insert into reservation (clinic_id, resource_id, during, visit_start, purpose, appointment_id) values
      (${row.clinic_id}, ${row.provider_id}, tstzrange(${busyFrom}::timestamptz, ${busyTo}::timestamptz, '[)'), ${row.appointment_time}, 'APPOINTMENT', ${row.appointment_id}),
      (${row.clinic_id}, ${row.patient_id}, tstzrange(${row.appointment_time}::timestamptz, ${new Date(to)}::timestamptz, '[)'), null, 'APPOINTMENT', ${row.appointment_id})
    on conflict do nothing returning resource_id`.execute(tx);
  if (rows.length < 2) {
    throw new AppError(rows.some((each) => each.resource_id === row.provider_id) ? 'patient_busy' : 'slot_taken');
  }
}
