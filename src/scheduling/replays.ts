import { audit } from '../db/audit.ts';
import type { Idempotency } from '../db/idempotency.ts';
import { enqueue } from '../db/outbox.ts';
import {
  insertReplay,
  lockReplay,
  replayCandidates,
  setReplayState,
  stopPendingItems,
  type ReplayRow,
} from '../db/replays.ts';
import { AppError } from '../domain/errors.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from './act.ts';

export interface ReplayRequest {
  readonly notificationIds: readonly string[];
  /** For the audit. */
  readonly reason?: string | undefined;
}

/**
 * Writes down that failed messages are to be sent again; a workflow does it, page by page. Which of them are still due is decided there, one by one.
 *
 * @throws AppError `not_found` when the clinic has not all of them, `notification_not_failed` when none of them has failed, is of unknown outcome or was
 * lost at the broker, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function requestReplay(
  deps: SchedulingDeps,
  act: Act,
  request: ReplayRequest,
  idempotency?: Idempotency,
): Promise<{ readonly replayId: string; readonly replayed: boolean }> {
  return doorOnce(deps, act, idempotency, async (tx) => {
    const notificationIds = [...new Set(request.notificationIds)];
    const known = notificationIds.length === 0 ? [] : await replayCandidates(tx, notificationIds);
    if (known.length === 0 || known.length < notificationIds.length) throw new AppError('not_found');
    if (!known.some((row) => row.is_candidate)) throw new AppError('notification_not_failed');

    const replayId = deps.newId();
    const { clinicId, actor } = act;
    await insertReplay(tx, { replayId, clinicId, requestedBy: actor.id, reason: request.reason, notificationIds });
    await enqueue(tx, act, { aggregate: 'replay', aggregateId: replayId, event: 'requested' });
    await audit(tx, act, 'replay', replayId, 'requested', { notifications: notificationIds.length });
    return { replayId };
  });
}

interface ReplayRef {
  readonly replayId: string;
}

/** Nothing more is queued until it is resumed. Repeating it changes nothing. @throws AppError `not_found`, `replay_ended` */
export function pauseReplay(deps: SchedulingDeps, act: Act, wanted: ReplayRef): Promise<ReplayRow> {
  return switchTo(deps, act, wanted, 'PAUSED', 'paused');
}

/** Goes on. Repeating it changes nothing. @throws AppError `not_found`, `replay_ended` */
export function resumeReplay(deps: SchedulingDeps, act: Act, wanted: ReplayRef): Promise<ReplayRow> {
  return switchTo(deps, act, wanted, 'RUNNING', 'resumed');
}

/** Ends it: what has not had its turn says `stopped`. Repeating it changes nothing. @throws AppError `not_found`, `replay_ended` */
export function stopReplay(deps: SchedulingDeps, act: Act, wanted: ReplayRef): Promise<ReplayRow> {
  return switchTo(deps, act, wanted, 'STOPPED', 'stopped');
}

function switchTo(
  deps: SchedulingDeps,
  act: Act,
  { replayId }: ReplayRef,
  state: 'RUNNING' | 'PAUSED' | 'STOPPED',
  event: 'paused' | 'resumed' | 'stopped',
): Promise<ReplayRow> {
  return door(deps, act, async (tx) => {
    const before = await lockReplay(tx, replayId);
    if (before === undefined) throw new AppError('not_found');
    if (before.state === state) return before;
    if (before.state === 'FINISHED' || before.state === 'STOPPED') throw new AppError('replay_ended');
    if (state === 'STOPPED') await stopPendingItems(tx, replayId);
    const after = await setReplayState(tx, replayId, state);
    await enqueue(tx, act, { aggregate: 'replay', aggregateId: replayId, event });
    await audit(tx, act, 'replay', replayId, event);
    return after;
  });
}
