import type { Tx } from '../../db/connection.ts';
import type { CallTaskRow } from '../../db/sick-days.ts';

/** The calls that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
export function callTasksWhere(
  tx: Tx,
  filter: { readonly state?: CallTaskRow['state']; readonly afterId?: string; readonly limit: number },
): Promise<CallTaskRow[]> {
  let query = tx
    .selectFrom('call_task')
    .selectAll()
    .orderBy('call_task_id')
    .limit(filter.limit + 1);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.afterId !== undefined) query = query.where('call_task_id', '>', filter.afterId);
  return query.execute();
}
