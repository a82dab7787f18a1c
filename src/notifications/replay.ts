import { v7 as uuidV7 } from 'uuid';
import { recordAudit } from '../db/audit.ts';
import type { Tx } from '../db/connection.ts';
import { enqueue } from '../db/outbox.ts';
import { AppError } from '../domain/errors.ts';

/** Who asks, and where. */
export interface ReplayAct {
  readonly clinicId: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly requestId?: string;
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
 * @throws AppError `not_found` when the clinic has not all of them, `notification_not_failed` when none of them has failed
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
          .select(['notification_id', 'state'])
          .where('notification_id', 'in', ids)
          .execute();
  if (ids.length === 0 || known.length < ids.length) throw new AppError('not_found');
  if (!known.some((row) => row.state === 'FAILED')) throw new AppError('notification_not_failed');

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
  await enqueue(tx, {
    clinicId: act.clinicId,
    aggregate: 'replay',
    aggregateId: replayId,
    event: 'requested',
    requestId: act.requestId,
  });
  await recordAudit(tx, {
    clinicId: act.clinicId,
    entity: 'replay',
    entityId: replayId,
    action: 'requested',
    actor: act.actor,
    requestId: act.requestId,
    detail: { notifications: ids.length },
  });
  return replayId;
}
