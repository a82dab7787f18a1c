import type { LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { freeAppointment } from '../../db/reservations.ts';
import {
  decideTransition,
  type AppointmentChange,
  type CancelReason,
  type TransitionDecision,
} from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { freedSlotOf, openRound } from '../claims/open-round.ts';
import { isAbsent } from './absent-provider.ts';
import { stateOf } from './attend.ts';
import { lockWithResources } from './lock.ts';
import { changeVisit } from './record.ts';
import { OWN_NOTICE, passOnUntoldNotice, type NoticeColumns } from './series-notice.ts';

export interface Cancellation {
  readonly appointmentId: string;
  readonly reason: CancelReason;
  /** From `If-Match`, where the client sent one; an already cancelled appointment is cancelled whatever it says. */
  readonly expectedVersion?: number | undefined;
}

export interface Cancelled {
  readonly version: number;
  readonly alreadyCancelled: boolean;
  /** The round that now holds the slot, when somebody waits who fits. */
  readonly roundId?: string | undefined;
}

/**
 * Cancels a visit and frees its time, or keeps it for the waitlist, in one transaction. Repeating it changes nothing.
 * @throws AppError `not_found`, `version_mismatch`, `visit_begun`, `appointment_not_scheduled`
 */
export function cancelAppointment(deps: SchedulingDeps, act: Act, cancellation: Cancellation): Promise<Cancelled> {
  return door(deps, act, (tx) => cancelVisit(deps, tx, act, cancellation));
}

/** As {@link cancelAppointment}, in the caller's own transaction, which must be given up when it throws. */
async function cancelVisit(deps: SchedulingDeps, tx: Tx, act: Act, cancellation: Cancellation): Promise<Cancelled> {
  const visit = await lockWithResources(tx, act.clinicId, cancellation.appointmentId);
  const { row: before } = visit;
  const decision = await decideCancelling(deps, tx, act, visit, cancellation);
  if (decision.decision === 'nothing') return { version: before.version, alreadyCancelled: true };
  if (cancellation.expectedVersion !== undefined && cancellation.expectedVersion !== before.version) {
    throw new AppError('version_mismatch', { version: before.version });
  }
  if (decision.decision === 'refuse') throw new AppError(decision.code);

  await passOnUntoldNotice(tx, before);
  const { version, roundId } = await recordCancelling(deps, tx, act, visit, decision.change, OWN_NOTICE);
  return { version, alreadyCancelled: false, roundId };
}

/** What the rules say to the cancelling of a locked visit. */
export async function decideCancelling(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  { row, promised, rules }: LockedVisit,
  { reason }: Cancellation,
): Promise<TransitionDecision> {
  const schedule = await deps.schedules.underLock(tx, act.clinicId, rules);
  const wanted = { kind: 'cancel', reason, by: act.actor.kind, providerAbsent: isAbsent(schedule, row) } as const;
  return decideTransition(stateOf(row), wanted, act.now.getTime(), promised);
}

/** Writes a cancelling that is allowed: the row, the time given back or kept for a round, the outbox and the audit. */
export async function recordCancelling(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  visit: LockedVisit,
  change: AppointmentChange,
  notice: NoticeColumns,
): Promise<{ readonly version: number; readonly roundId: string | undefined }> {
  if (change.event !== 'cancelled') throw new AppError('internal_error');
  const freed = freedSlotOf(visit, await freeAppointment(tx, visit.row.appointment_id));
  const roundId = freed && (await openRound(deps, tx, act, freed));
  const columns = {
    status: 'CANCELLED',
    cancelled_at: act.now,
    cancelled_by: change.cancelledBy,
    cancel_reason: change.cancelReason,
    cancelled_late: change.lateCancel,
    ...notice,
  } as const;
  const detail = { reason: change.cancelReason, late: change.lateCancel, roundId };
  const { version } = await changeVisit(tx, act, visit, columns, 'cancelled', detail);
  return { version, roundId };
}
