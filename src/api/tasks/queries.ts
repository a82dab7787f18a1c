import type { Tx } from '../../db/connection.ts';
import { clinicOfTask } from '../../db/look-ups.ts';
import type { TaskRow } from '../../db/tasks.ts';
import { list, type ReadDeps } from '../read.ts';

/** The tasks that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
function tasksWhere(
  tx: Tx,
  filter: {
    readonly state?: TaskRow['state'] | undefined;
    readonly afterId?: string | undefined;
    readonly limit: number;
  },
): Promise<TaskRow[]> {
  let query = tx
    .selectFrom('task')
    .selectAll()
    .orderBy('task_id')
    .limit(filter.limit + 1);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.afterId !== undefined) query = query.where('task_id', '>', filter.afterId);
  return query.execute();
}

export const taskReads = {
  clinicOfTask: ({ connection }: ReadDeps, taskId: string) => clinicOfTask(connection.db, taskId),
  tasks: list('tasks', tasksWhere),
};
