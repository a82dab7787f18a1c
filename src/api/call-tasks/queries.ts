import type { Tx } from '../../db/connection.ts';
import { clinicOfCallTask } from '../../db/look-ups.ts';
import type { CallTaskRow } from '../../db/sick-days.ts';
import { list, type ReadDeps } from '../read.ts';

/** The calls that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
function callTasksWhere(
  tx: Tx,
  filter: {
    readonly state?: CallTaskRow['state'] | undefined;
    readonly afterId?: string | undefined;
    readonly limit: number;
  },
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

export const callTaskReads = {
  clinicOfCallTask: ({ connection }: ReadDeps, callTaskId: string) => clinicOfCallTask(connection.db, callTaskId),
  callTasks: list('call_tasks', callTasksWhere),
};
