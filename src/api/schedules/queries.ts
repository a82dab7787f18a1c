import type { Tx } from '../../db/connection.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import type { Position } from '../cursor.ts';
import { plain } from '../read.ts';

/** The rows of the dates from `from` to `to`, both included. */
function overridesBetween(tx: Tx, providerId: string, from: string, to: string) {
  return tx
    .selectFrom('availability_override')
    .select(['date', 'start_time', 'end_time'])
    .where('provider_id', '=', providerId)
    .where('date', '>=', from)
    .where('date', '<=', to)
    .orderBy('date')
    .orderBy('start_time')
    .execute();
}

export type OverrideRow = Awaited<ReturnType<typeof overridesBetween>>[number];

interface TimeOffFilter {
  /** Only what ends after this. */
  readonly from: Date;
  readonly after?: Position | undefined;
  readonly limit: number;
}

/** By start and id; one row more than `limit` when there is a next page. */
function timeOffWhere(tx: Tx, providerId: string, { from, after, limit }: TimeOffFilter) {
  let query = tx
    .selectFrom('time_off')
    .select((eb) => [
      'time_off_id',
      eb.fn<Date>('lower', ['during']).as('from_time'),
      eb.fn<Date>('upper', ['during']).as('to_time'),
    ])
    .where('provider_id', '=', providerId)
    .where((eb) => eb(eb.fn<Date>('upper', ['during']), '>', from))
    .orderBy('from_time')
    .orderBy('time_off_id')
    .limit(limit + 1);
  if (after !== undefined) {
    query = query.where((eb) => {
      const start = eb.fn<Date>('lower', ['during']);
      return eb.or([eb(start, '>', after.at), eb.and([eb(start, '=', after.at), eb('time_off_id', '>', after.id)])]);
    });
  }
  return query.execute();
}

export type TimeOffRow = Awaited<ReturnType<typeof timeOffWhere>>[number];

export const scheduleReads = {
  schedule: plain(loadProviderSchedule),
  overrides: plain(overridesBetween),
  timeOff: plain(timeOffWhere),
};
