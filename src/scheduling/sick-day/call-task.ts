import { sql } from 'kysely';
import { lockCallTask, type CallTaskRow } from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';
import type { CallOutcome } from '../../domain/sick-day.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { recordCallDone } from '../visits/record.ts';

/**
 * The desk has called, and says what came of it; moving or cancelling the visit is done through its own door, which ticks the call off too.
 * Repeating it changes nothing: the first word counts.
 *
 * @throws AppError `not_found`
 */
export function completeCallTask(
  deps: SchedulingDeps,
  act: Act,
  done: { readonly callTaskId: string; readonly outcome: CallOutcome },
): Promise<CallTaskRow> {
  return door(deps, act, async (tx) => {
    const before = await lockCallTask(tx, done.callTaskId);
    if (before === undefined) throw new AppError('not_found');
    if (before.state === 'DONE') return before;
    const after = await tx
      .updateTable('call_task')
      .set({ state: 'DONE', outcome: done.outcome, done_at: sql<Date>`now()`, done_by: act.actor.id })
      .where('call_task_id', '=', done.callTaskId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordCallDone(tx, act, { ...done, appointmentId: before.appointment_id });
    return after;
  });
}
