import { heartbeat } from '@temporalio/activity';
import { inContext, type Connection } from '../db/connection.ts';
import { requeueForReplay } from '../notifications/ledger/requeue.ts';
import { messageOf } from '../notifications/message.ts';
import type { Publisher } from '../notifications/publish.ts';
import {
  lockReplay,
  noteRequeued,
  pendingItems,
  progressOf,
  setReplayState,
  settleItem,
  type PendingItem,
  type ReplayProgress,
  type ReplayRow,
} from '../db/replays.ts';
import { AppError } from '../domain/errors.ts';
import { activityNow } from './now.ts';

export interface ReplayRef {
  readonly replayId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface ReplayPageInput extends ReplayRef {
  readonly limit: number;
}

/** How a replay stands, and how many of its messages are in which state. */
export interface ReplayStatus extends ReplayProgress {
  readonly state: ReplayRow['state'];
}

export interface ReplayActivityDeps {
  readonly connection: Connection;
  readonly clock: () => number;
  readonly publisher: Pick<Publisher, 'publish'>;
}

export function createReplayActivities(deps: ReplayActivityDeps) {
  const { connection, clock, publisher } = deps;

  async function replayItem(input: ReplayRef, item: PendingItem, now: Date): Promise<void> {
    const { notificationId } = item;
    const context = { clinicId: input.clinicId };
    const message = await inContext(connection.db, context, async (tx) => {
      if (!item.requeued) {
        const outcome = await requeueForReplay(tx, notificationId, now);
        if (outcome !== 'QUEUED') {
          await settleItem(tx, input.replayId, notificationId, outcome);
          return undefined;
        }
        await noteRequeued(tx, input.replayId, notificationId);
      }
      return tx
        .selectFrom('notification')
        .select(['channel', 'appointment_id', 'request_id'])
        .where('notification_id', '=', notificationId)
        .executeTakeFirstOrThrow();
    });
    if (message === undefined) return;

    const { appointment_id: appointmentId, channel, request_id } = message;
    const requestId = input.requestId ?? request_id ?? undefined;
    const { clinicId } = input;
    await publisher.publish(messageOf({ notificationId, clinicId, appointmentId, channel, requestId }, now));
    await inContext(connection.db, context, (tx) => settleItem(tx, input.replayId, notificationId, 'QUEUED'));
  }

  /** The row as it stands now; a running replay with nothing left is finished. */
  function statusOf(input: ReplayRef): Promise<ReplayStatus> {
    return inContext(connection.db, { clinicId: input.clinicId }, async (tx) => {
      const replay = await lockReplay(tx, input.replayId);
      if (replay === undefined) throw new AppError('not_found');
      const progress = await progressOf(tx, input.replayId);
      if (replay.state !== 'RUNNING' || progress.pending > 0) return { state: replay.state, ...progress };
      await setReplayState(tx, input.replayId, 'FINISHED');
      return { state: 'FINISHED', ...progress };
    });
  }

  return {
    /**
     * Queues the next pending items again, unless the replay is paused or has ended, and returns how far it is. Harmless to repeat.
     * @throws AppError `not_found`, `broker_unavailable`
     */
    async replayPage(input: ReplayPageInput): Promise<ReplayStatus> {
      const now = activityNow(clock);
      const before = await statusOf(input);
      if (before.state !== 'RUNNING') return before;
      const context = { clinicId: input.clinicId };
      const page = await inContext(connection.db, context, (tx) => pendingItems(tx, input.replayId, input.limit));
      for (const item of page) {
        await replayItem(input, item, now);
        heartbeat();
      }
      return statusOf(input);
    },
  };
}
