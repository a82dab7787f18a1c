import { VISIT_END, type AppointmentRow } from '../../db/appointments.ts';
import type { RowContext, Tx } from '../../db/connection.ts';
import { dayBounds } from '../../domain/time-zone.ts';
import type { Position } from '../cursor.ts';
import { list } from '../read.ts';

export interface DayEndFilter {
  /** Those that start on this date of the clinic's; without it all there are. */
  readonly date?: string | undefined;
  readonly providerId?: string | undefined;
  readonly after?: Position | undefined;
  readonly limit: number;
  readonly now: Date;
}

/** The clinic's visits that are over and that nobody has marked, by start and id; one row more than `limit` when there is a next page. */
async function unmarkedVisits(
  tx: Tx,
  { date, providerId, after, limit, now }: DayEndFilter,
  { clinicId = '' }: RowContext,
): Promise<AppointmentRow[]> {
  let query = tx
    .selectFrom('appointment')
    .selectAll()
    .where('clinic_id', '=', clinicId)
    .where('status', '=', 'SCHEDULED')
    .where('checked_in_at', 'is', null)
    // The first lets an index find them.
    .where('appointment_time', '<=', now)
    .where(VISIT_END, '<=', now)
    .orderBy('appointment_time')
    .orderBy('appointment_id')
    .limit(limit + 1);
  if (date !== undefined) {
    const { time_zone: timeZone } = await tx
      .selectFrom('clinic')
      .select('time_zone')
      .where('clinic_id', '=', clinicId)
      .executeTakeFirstOrThrow();
    const { from, to } = dayBounds(timeZone, date);
    query = query.where('appointment_time', '>=', new Date(from)).where('appointment_time', '<', new Date(to));
  }
  if (providerId !== undefined) query = query.where('provider_id', '=', providerId);
  if (after !== undefined) {
    query = query.where((eb) =>
      eb(eb.refTuple('appointment_time', 'appointment_id'), '>', eb.tuple(after.at, after.id)),
    );
  }
  return query.execute();
}

export const dayEndReads = { unmarkedVisits: list('day_end_list', unmarkedVisits) };
