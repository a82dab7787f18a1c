import type { Tx } from '../../db/connection.ts';
import { WAITING } from '../../domain/notification.ts';
import { change } from './change.ts';
import { lockForSending, reasonNotDue } from './message-row.ts';

/**
 * Makes a failed notification due again on the same row: QUEUED, with a fresh count of attempts; the caller publishes it. One of unknown outcome
 * counts as failed only once its visit has begun, and then nothing is due any more. One that waits and has not moved for two hours counts as failed:
 * should its message turn up after all, the ledger still gives it out once.
 */
export async function requeueForReplay(
  tx: Tx,
  notificationId: string,
  now: Date,
): Promise<'QUEUED' | 'NOT_DUE' | 'NOT_FAILED'> {
  const row = await lockForSending(tx, notificationId);
  if (row === undefined) return 'NOT_FAILED';
  const isLost = WAITING.includes(row.state) && row.stands_still;
  const hasFailed = row.state === 'FAILED' || (row.state === 'UNKNOWN' && row.planned_for <= now);
  if (!hasFailed && !isLost) return 'NOT_FAILED';
  if (reasonNotDue(row, now) !== undefined) return 'NOT_DUE';
  await change(tx, { notificationId, to: 'QUEUED', from: [row.state], anew: true });
  return 'QUEUED';
}
