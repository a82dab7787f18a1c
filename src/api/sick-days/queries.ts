import type { Tx } from '../../db/connection.ts';
import { findSickDay, itemCounts, outcomesOf, type SickDayRow } from '../../db/sick-days.ts';
import { clinicOfSickDay } from '../../db/look-ups.ts';
import type { SickDayItemState } from '../../domain/sick-day.ts';
import { list, one, type ReadDeps } from '../read.ts';

export interface SickDayWithCounts {
  readonly sickDay: SickDayRow;
  readonly counts: Readonly<Partial<Record<SickDayItemState, number>>>;
}

/** The sick days that the context sees, newest first (their ids grow with time); one row more than `limit` when there is a next page. */
async function sickDaysWhere(
  tx: Tx,
  filter: {
    readonly providerId?: string | undefined;
    readonly state?: SickDayRow['state'] | undefined;
    readonly beforeId?: string | undefined;
    readonly limit: number;
  },
): Promise<SickDayWithCounts[]> {
  let query = tx
    .selectFrom('sick_day')
    .selectAll()
    .orderBy('sick_day_id', 'desc')
    .limit(filter.limit + 1);
  if (filter.providerId !== undefined) query = query.where('provider_id', '=', filter.providerId);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.beforeId !== undefined) query = query.where('sick_day_id', '<', filter.beforeId);
  const rows = await query.execute();
  const counts = await itemCounts(
    tx,
    rows.map((row) => row.sick_day_id),
  );
  return rows.map((sickDay) => ({ sickDay, counts: counts.get(sickDay.sick_day_id) ?? {} }));
}

/**
 * A sick day with what became of each visit, soonest first.
 * @param wanted - with a provider only if it is theirs
 */
async function findSickDayWithItems(tx: Tx, wanted: { readonly id: string; readonly providerId?: string | undefined }) {
  const sickDay = await findSickDay(tx, wanted.id);
  if (sickDay === undefined) return undefined;
  if (wanted.providerId !== undefined && wanted.providerId !== sickDay.provider_id) return undefined;
  const items = await outcomesOf(tx, wanted.id);
  return { sickDay, items };
}

export type SickDayWithItems = NonNullable<Awaited<ReturnType<typeof findSickDayWithItems>>>;

export const sickDayReads = {
  clinicOfSickDay: ({ connection }: ReadDeps, sickDayId: string) => clinicOfSickDay(connection.db, sickDayId),
  sickDay: one('sick_day', findSickDayWithItems),
  sickDays: list('sick_days', sickDaysWhere),
};
