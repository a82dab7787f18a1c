import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { audit } from '../db/audit.ts';
import type { Tx } from '../db/connection.ts';
import { enqueue } from '../db/outbox.ts';
import { AppError } from '../domain/errors.ts';
import { LOST_AFTER } from './ledger.ts';

/** Who asks, and where. */
export interface ReplayAct {
  readonly clinicId: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly requestId?: string | undefined;
}

export interface ReplayRequest {
  readonly notificationIds: readonly string[];
  readonly reason?: string;
}

/**
 * Writes down that failed notifications are to be sent again; the relay starts the workflow that does it. Which of them are still due is decided
 * there, one by one.
 *
 * @returns the replay's id
 * @throws AppError `not_found` when the clinic has not all of them, `notification_not_failed` when none of them has failed, is
 * of unknown outcome or was lost at the broker
 */
export async function requestReplay(
  tx: Tx,
  act: ReplayAct,
  request: ReplayRequest,
  newId: () => string = () => uuidV7(),
): Promise<string> {
  const ids = [...new Set(request.notificationIds)];
  const known =
    ids.length === 0
      ? []
      : await tx
          .selectFrom('notification')
          .select(
            sql<boolean>`state in ('FAILED', 'UNKNOWN') or (state in ('QUEUED', 'RETRY') and updated_at < now() - ${LOST_AFTER})`.as(
              'is_candidate',
            ),
          )
          .where('notification_id', 'in', ids)
          .execute();
  if (ids.length === 0 || known.length < ids.length) throw new AppError('not_found');
  if (!known.some((row) => row.is_candidate)) throw new AppError('notification_not_failed');

  const replayId = newId();
  await tx
    .insertInto('replay')
    .values({
      replay_id: replayId,
      clinic_id: act.clinicId,
      requested_by: act.actor.id,
      reason: request.reason ?? null,
      state: 'RUNNING',
    })
    .execute();
  await tx
    .insertInto('replay_item')
    .values(
      ids.map((notificationId) => ({
        replay_id: replayId,
        clinic_id: act.clinicId,
        notification_id: notificationId,
        state: 'PENDING' as const,
        reason: null,
      })),
    )
    .execute();
  await enqueue(tx, act, { aggregate: 'replay', aggregateId: replayId, event: 'requested' });
  await audit(tx, act, 'replay', replayId, 'requested', { notifications: ids.length });
  return replayId;
}

/** How many items of a replay are in which state. */
export interface ReplayProgress {
  readonly pending: number;
  readonly queued: number;
  readonly notDue: number;
  readonly notFailed: number;
}

/** An item that is queued again but whose message may not have reached the broker. */
const REQUEUED = 'requeued';

export interface PendingItem {
  readonly notificationId: string;
  /** An earlier try queued it again in the ledger and got no further: it only has to be published. */
  readonly requeued: boolean;
}

/** The next items of a replay that are not settled. */
export async function pendingItems(tx: Tx, replayId: string, limit: number): Promise<PendingItem[]> {
  const rows = await tx
    .selectFrom('replay_item')
    .select(['notification_id', 'reason'])
    .where('replay_id', '=', replayId)
    .where('state', '=', 'PENDING')
    .orderBy('notification_id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ notificationId: row.notification_id, requeued: row.reason === REQUEUED }));
}

/** Writes, with the ledger's change, that the message is still to be published. */
export function noteRequeued(tx: Tx, replayId: string, notificationId: string): Promise<void> {
  return writeItem(tx, replayId, notificationId, 'PENDING', REQUEUED);
}

/** What became of one item. */
export function settleItem(
  tx: Tx,
  replayId: string,
  notificationId: string,
  state: 'QUEUED' | 'NOT_DUE' | 'NOT_FAILED',
): Promise<void> {
  return writeItem(tx, replayId, notificationId, state, null);
}

async function writeItem(
  tx: Tx,
  replayId: string,
  notificationId: string,
  state: 'PENDING' | 'QUEUED' | 'NOT_DUE' | 'NOT_FAILED',
  reason: string | null,
): Promise<void> {
  await tx
    .updateTable('replay_item')
    .set({ state, reason, updated_at: sql`now()` })
    .where('replay_id', '=', replayId)
    .where('notification_id', '=', notificationId)
    .execute();
}

/** Closes the replay. What is still pending was stopped by an operator and says so. */
export async function closeReplay(tx: Tx, replayId: string): Promise<void> {
  await tx
    .updateTable('replay_item')
    .set({ reason: 'stopped', updated_at: sql`now()` })
    .where('replay_id', '=', replayId)
    .where('state', '=', 'PENDING')
    .execute();
  await tx
    .updateTable('replay')
    .set({ state: 'FINISHED', finished_at: sql`now()` })
    .where('replay_id', '=', replayId)
    .where('state', '=', 'RUNNING')
    .execute();
}

export async function progressOf(tx: Tx, replayId: string): Promise<ReplayProgress> {
  const rows = await tx
    .selectFrom('replay_item')
    .select(['state', sql<number>`count(*)::int`.as('count')])
    .where('replay_id', '=', replayId)
    .groupBy('state')
    .execute();
  const count = (state: string) => rows.find((row) => row.state === state)?.count ?? 0;
  return {
    pending: count('PENDING'),
    queued: count('QUEUED'),
    notDue: count('NOT_DUE'),
    notFailed: count('NOT_FAILED'),
  };
}
