import { utcMidnight } from '../../domain/time-zone.ts';
import type { Tx } from '../../db/connection.ts';
import type { Position } from '../cursor.ts';
import { plain } from '../read.ts';

interface ClosureFilter {
  /** Only what is not over on this date, and yearly ones. */
  readonly from: string;
  readonly after?: Position | undefined;
  readonly limit: number;
}

/** By first date and id; one row more than `limit` when there is a next page. */
function closuresWhere(tx: Tx, clinicId: string, filter: ClosureFilter) {
  let query = tx
    .selectFrom('closure')
    .select(['closure_id', 'from_date', 'to_date', 'name', 'yearly', 'calendar_uid'])
    .where('clinic_id', '=', clinicId)
    .where((eb) => eb.or([eb('to_date', '>=', filter.from), eb('yearly', '=', true)]))
    .orderBy('from_date')
    .orderBy('closure_id')
    .limit(filter.limit + 1);
  const { after } = filter;
  if (after !== undefined) {
    const date = after.at.toISOString().slice(0, 10);
    query = query.where((eb) =>
      eb.or([eb('from_date', '>', date), eb.and([eb('from_date', '=', date), eb('closure_id', '>', after.id)])]),
    );
  }
  return query.execute();
}

export type ClosureRow = Awaited<ReturnType<typeof closuresWhere>>[number];

export function positionOfClosure(row: ClosureRow): Position {
  return { at: new Date(utcMidnight(row.from_date)), id: row.closure_id };
}

export const closureReads = { closures: plain(closuresWhere) };
