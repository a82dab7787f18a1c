import { sql, type Selectable } from 'kysely';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type ReplayRow = Selectable<Database['replay']>;

/** Longer than any message waits in a queue of delays: one that has stood still for so long has been lost at the broker. */
export const LOST_AFTER = sql`interval '2 hours'`;

/** Of these messages of the clinic: which can be sent again? Those that failed, are of unknown outcome or were lost at the broker. */
export function replayCandidates(
  tx: Tx,
  notificationIds: readonly string[],
): Promise<{ readonly notification_id: string; readonly is_candidate: boolean }[]> {
  return tx
    .selectFrom('notification')
    .select([
      'notification_id',
      sql<boolean>`state in ('FAILED', 'UNKNOWN') or (state in ('QUEUED', 'RETRY') and updated_at < now() - ${LOST_AFTER})`.as(
        'is_candidate',
      ),
    ])
    .where('notification_id', 'in', notificationIds)
    .execute();
}

export async function insertReplay(
  tx: Tx,
  replay: {
    readonly replayId: string;
    readonly clinicId: string;
    readonly requestedBy: string;
    readonly reason?: string | undefined;
    readonly notificationIds: readonly string[];
  },
): Promise<void> {
  const { replayId, clinicId } = replay;
  await tx
    .insertInto('replay')
    .values({
      replay_id: replayId,
      clinic_id: clinicId,
      requested_by: replay.requestedBy,
      reason: replay.reason ?? null,
      state: 'RUNNING',
    })
    .execute();
  await tx
    .insertInto('replay_item')
    .values(
      replay.notificationIds.map((notificationId) => ({
        replay_id: replayId,
        clinic_id: clinicId,
        notification_id: notificationId,
        state: 'PENDING' as const,
        reason: null,
      })),
    )
    .execute();
}

export function lockReplay(tx: Tx, replayId: string): Promise<ReplayRow | undefined> {
  return tx.selectFrom('replay').selectAll().where('replay_id', '=', replayId).forUpdate().executeTakeFirst();
}

export function setReplayState(tx: Tx, replayId: string, state: ReplayRow['state']): Promise<ReplayRow> {
  return tx
    .updateTable('replay')
    .set({ state, ...(state === 'STOPPED' || state === 'FINISHED' ? { finished_at: sql<Date>`now()` } : {}) })
    .where('replay_id', '=', replayId)
    .returningAll()
    .executeTakeFirstOrThrow();
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

/** What has not had its turn when the replay is stopped never has it, and says so. */
export async function stopPendingItems(tx: Tx, replayId: string): Promise<void> {
  await tx
    .updateTable('replay_item')
    .set({ reason: 'stopped', updated_at: sql`now()` })
    .where('replay_id', '=', replayId)
    .where('state', '=', 'PENDING')
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
