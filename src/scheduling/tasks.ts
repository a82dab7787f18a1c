import { sql } from 'kysely';
import { audit } from '../db/audit.ts';
import { lockTask, type TaskRow } from '../db/tasks.ts';
import { AppError } from '../domain/errors.ts';
import type { CallOutcome } from '../domain/task.ts';
import { door, type Act, type SchedulingDeps } from './act.ts';

/**
 * The desk has called, and says what came of it; moving or cancelling the visit is done through its own door, which resolves the task too.
 * Repeating it changes nothing: the first word counts.
 *
 * @throws AppError `not_found`
 */
export function resolveTask(
  deps: SchedulingDeps,
  act: Act,
  { taskId, outcome }: { readonly taskId: string; readonly outcome: CallOutcome },
): Promise<TaskRow> {
  return door(deps, act, async (tx) => {
    const before = await lockTask(tx, taskId);
    if (before === undefined) throw new AppError('not_found');
    if (before.state === 'RESOLVED') return before;
    const after = await tx
      .updateTable('task')
      .set({ state: 'RESOLVED', outcome, resolved_at: sql<Date>`now()`, resolved_by: act.actor.id })
      .where('task_id', '=', taskId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(tx, act, 'task', taskId, 'resolved', { outcome, appointmentId: before.appointment_id });
    return after;
  });
}
