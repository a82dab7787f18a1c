import { changeAppointment, policyOf, type AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { freeAppointment, providerTimeOf } from '../../db/reservations.ts';
import { OWN_NOTICE, passOnUntoldNotice, type NoticeColumns } from '../../db/series.ts';
import {
  decideTransition,
  type AppointmentChange,
  type CancelledBy,
  type CancelReason,
} from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import { isProviderAbsent } from './absent-provider.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { stateOf } from './attend.ts';
import { freedSlotOf, openRound } from '../claims/open-round.ts';
import { lockWithResources } from './lock.ts';
import { recordChange } from './record.ts';

export interface Cancellation {
  readonly appointmentId: string;
  readonly reason: CancelReason;
  /** From `If-Match`, where the client sent one; an already cancelled appointment is cancelled whatever it says. */
  readonly expectedVersion?: number;
}

export interface Cancelled {
  readonly version: number;
  readonly alreadyCancelled: boolean;
  /** The round that now holds the slot, when somebody waits who fits. */
  readonly roundId?: string;
}

/**
 * Cancels a visit and frees its time, or keeps it for the waitlist, in one transaction. Repeating it changes nothing.
 * @throws AppError `not_found`, `version_mismatch`, `visit_begun`, `appointment_not_scheduled`
 */
export function cancelAppointment(deps: SchedulingDeps, act: Act, cancellation: Cancellation): Promise<Cancelled> {
  return door(deps, act, (tx) => cancelVisit(deps, tx, act, cancellation));
}

/** As {@link cancelAppointment}, in the caller's own transaction, which must be given up when it throws. */
export async function cancelVisit(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  cancellation: Cancellation,
): Promise<Cancelled> {
  const before = await lockWithResources(tx, act.clinicId, cancellation.appointmentId);
  const policy = await policyOf(tx, act.clinicId, before.policy_version);
  const wanted = {
    kind: 'cancel',
    reason: cancellation.reason,
    by: cancelledBy(act),
    providerAbsent: await isProviderAbsent(tx, before),
  } as const;
  const decision = decideTransition(stateOf(before), wanted, act.now.getTime(), policy);
  if (decision.decision === 'nothing') return { version: before.version, alreadyCancelled: true };
  if (cancellation.expectedVersion !== undefined && cancellation.expectedVersion !== before.version) {
    throw new AppError('version_mismatch', { version: before.version });
  }
  if (decision.decision === 'refuse') throw new AppError(decision.code);
  if (decision.change.event !== 'cancelled') throw new AppError('internal_error');

  await passOnUntoldNotice(tx, before);
  const { version, roundId } = await recordCancelling(deps, tx, act, before, decision.change, OWN_NOTICE);
  return { version, alreadyCancelled: false, ...(roundId === undefined ? {} : { roundId }) };
}

/** Writes a cancelling that is allowed: the row, the time given back or kept for a round, the outbox and the audit. */
export async function recordCancelling(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  before: AppointmentRow,
  change: Extract<AppointmentChange, { event: 'cancelled' }>,
  notice: NoticeColumns,
): Promise<{ readonly version: number; readonly roundId: string | undefined }> {
  const after = await changeAppointment(tx, before.appointment_id, {
    status: 'CANCELLED',
    cancelled_at: act.now,
    cancelled_by: change.cancelledBy,
    cancel_reason: change.cancelReason,
    cancelled_late: change.lateCancel,
    ...notice,
  });
  const during = await providerTimeOf(tx, before.appointment_id, before.provider_id);
  await freeAppointment(tx, before.appointment_id);
  const roundId = during && (await openRound(deps, tx, act, freedSlotOf(before, during)));
  await recordChange(tx, act, {
    appointmentId: after.appointment_id,
    version: after.version,
    event: 'cancelled',
    detail: {
      reason: change.cancelReason,
      late: change.lateCancel,
      ...(roundId === undefined ? {} : { roundId }),
    },
  });
  return { version: after.version, roundId };
}

/** Who is written down as having cancelled. */
export function cancelledBy(act: Act): CancelledBy {
  return act.actor.kind;
}
