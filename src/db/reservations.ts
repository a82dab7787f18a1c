import { sql } from 'kysely';
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
