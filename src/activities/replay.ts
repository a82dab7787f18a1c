import { heartbeat } from '@temporalio/activity';
import { inContext, type Connection } from '../db/connection.ts';
import { requeueForReplay } from '../notifications/ledger.ts';
import type { Publisher } from '../notifications/publish.ts';
import {
  closeReplay,
  noteRequeued,
  pendingItems,
  progressOf,
  settleItem,
  type PendingItem,
  type ReplayProgress,
} from '../notifications/replay.ts';
import { activityNow } from './now.ts';

export interface ReplayRef {
  readonly replayId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface ReplayPageInput extends ReplayRef {
  readonly limit: number;
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

    const requestId = input.requestId ?? message.request_id;
    await publisher.publish({
      schemaVersion: 1,
      notificationId,
      clinicId: input.clinicId,
      appointmentId: message.appointment_id,
      channel: message.channel,
      now: now.toISOString(),
      attempt: 1,
      ...(requestId === null ? {} : { requestId }),
    });
    await inContext(connection.db, context, (tx) => settleItem(tx, input.replayId, notificationId, 'QUEUED'));
  }

  return {
    /** Queues the next pending items again and returns how far the replay is. Harmless to repeat. @throws AppError `broker_unavailable` */
    async replayPage(input: ReplayPageInput): Promise<ReplayProgress> {
      const now = activityNow(clock);
      const context = { clinicId: input.clinicId };
      const page = await inContext(connection.db, context, (tx) => pendingItems(tx, input.replayId, input.limit));
      for (const item of page) {
        await replayItem(input, item, now);
        heartbeat();
      }
      return inContext(connection.db, context, (tx) => progressOf(tx, input.replayId));
    },

    /** Closes the replay. What is still pending was stopped by an operator and says so. */
    async finishReplay(input: ReplayRef): Promise<ReplayProgress> {
      return inContext(connection.db, { clinicId: input.clinicId }, async (tx) => {
        await closeReplay(tx, input.replayId);
        return progressOf(tx, input.replayId);
      });
    },
  };
}
