import { DAY_MS, MINUTE_MS, visitAt } from './clock.ts';
import type { ErrorCode } from './errors.ts';
import type { ClinicPolicy } from './policy.ts';

/** The four states of an appointment; a visit that was moved or checked in is still `SCHEDULED`. */
export const APPOINTMENT_STATUSES = ['SCHEDULED', 'COMPLETED', 'CANCELLED', 'NO_SHOW'] as const;
export type AppointmentStatus = (typeof APPOINTMENT_STATUSES)[number];

/** Why an appointment was cancelled. Coded: free text would invite patient data into reports and messages. */
export const CANCEL_REASONS = [
  'patient_request',
  'provider_unavailable',
  'clinic_closed',
  'duplicate',
  'other',
] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

const CLINICS_OWN_REASONS: ReadonlySet<CancelReason> = new Set(['provider_unavailable', 'clinic_closed']);

/** Who cancelled it: the patient, the clinic's staff, one of our own workflows, or the clinic's EHR. */
export const CANCELLED_BY = ['patient', 'staff', 'system', 'ehr'] as const;
export type CancelledBy = (typeof CANCELLED_BY)[number];

/** What the lifecycle rules read of an appointment. Instants in epoch milliseconds. */
export interface AppointmentState {
  readonly status: AppointmentStatus;
  readonly appointmentTime: number;
  readonly durationMinutes: number;
  readonly bookedAt: number;
  /** When the row last changed. */
  readonly changedAt: number;
  readonly checkedInAt: number | null;
}

/** What the lifecycle rules read of the clinic's policy. */
export type LifecyclePolicy = Pick<ClinicPolicy, 'cancellationNoticeMinutes' | 'checkInFromMinutes' | 'correctionDays'>;

/** Something somebody wants to do with an appointment. */
export type AppointmentAct =
  | {
      readonly kind: 'cancel';
      readonly reason: CancelReason;
      readonly by: CancelledBy;
      /** The provider is away or the clinic closed then: whoever cancels is late for nothing. */
      readonly providerAbsent?: boolean;
    }
  | {
      readonly kind: 'check-in';
      /** When the visit's date is over in the clinic's zone. */
      readonly dateEndsAt: number;
    }
  | { readonly kind: 'check-in-undo' }
  | {
      readonly kind: 'complete';
      /** By itself, as nobody has said otherwise: only of a patient who was checked in. */
      readonly byItself?: boolean | undefined;
    }
  | { readonly kind: 'complete-undo' }
  | { readonly kind: 'no-show' }
  | { readonly kind: 'no-show-undo' }
  | { readonly kind: 'move' };

/** What an act changes, and the name of the event that tells of it. The new time of a move is judged by `judgeSlot`. */
export type AppointmentChange =
  | {
      readonly event: 'cancelled';
      readonly status: 'CANCELLED';
      readonly cancelReason: CancelReason;
      readonly cancelledBy: CancelledBy;
      readonly lateCancel: boolean;
    }
  | { readonly event: 'checkedIn'; readonly status: 'SCHEDULED'; readonly checkedInAt: number }
  | { readonly event: 'checkInUndone'; readonly status: 'SCHEDULED'; readonly checkedInAt: null }
  | { readonly event: 'completed'; readonly status: 'COMPLETED' }
  | { readonly event: 'completionUndone'; readonly status: 'SCHEDULED' }
  | { readonly event: 'noShowMarked'; readonly status: 'NO_SHOW' }
  | { readonly event: 'noShowUndone'; readonly status: 'SCHEDULED' }
  | { readonly event: 'rescheduled'; readonly status: 'SCHEDULED' };

export type TransitionRefusal = Extract<
  ErrorCode,
  | 'appointment_not_scheduled'
  | 'visit_begun'
  | 'visit_not_begun'
  | 'check_in_not_open'
  | 'check_in_over'
  | 'already_checked_in'
  | 'not_checked_in'
  | 'not_completed'
  | 'not_marked_no_show'
  | 'correction_too_late'
>;

/** `nothing`: it is already so; the caller answers as if it had just done it and writes nothing. */
export type TransitionDecision =
  | { readonly decision: 'apply'; readonly change: AppointmentChange }
  | { readonly decision: 'nothing' }
  | { readonly decision: 'refuse'; readonly code: TransitionRefusal };

/** The clinic takes the visit away: that is never the patient's late cancelling. Patients do not say so themselves. */
function isClinicsOwn({ reason, by, providerAbsent }: Extract<AppointmentAct, { kind: 'cancel' }>): boolean {
  return providerAbsent === true || (by !== 'patient' && CLINICS_OWN_REASONS.has(reason));
}

/**
 * May this be done with the appointment now, and what does it change?
 *
 * - cancel: until the visit begins, also by a patient who has already arrived; too late by the clinic's notice is marked, never refused, and never when the clinic itself cancels.
 * - check-in: while it is scheduled, from the policy's minutes before the visit until its date is over.
 * - check-in-undo: while it is scheduled.
 * - complete: once the visit has begun; a patient who is checked in may be seen before the hour. By itself only of a patient who is checked in.
 * - no-show: once the visit has begun and nobody came; an arrived patient is no no-show.
 * - complete-undo, no-show-undo: make it scheduled again. These, completing a no-show and marking a completed one as a no-show correct what was
 *   entered: for the policy's days.
 * - move: until the visit begins and while the patient has not arrived.
 *
 * @param now - epoch milliseconds
 */
export function decideTransition(
  appointment: AppointmentState,
  act: AppointmentAct,
  now: number,
  policy: LifecyclePolicy,
): TransitionDecision {
  const { status, appointmentTime, checkedInAt } = appointment;
  const begun = now >= appointmentTime;

  if (isAlreadySo(appointment, act)) return { decision: 'nothing' };
  if (status === 'COMPLETED' || status === 'NO_SHOW') return decideCorrection(appointment, act, now, policy);
  switch (act.kind) {
    case 'complete-undo':
      return refuse('not_completed');
    case 'no-show-undo':
      return refuse('not_marked_no_show');
  }
  if (status === 'CANCELLED') return refuse('appointment_not_scheduled');

  switch (act.kind) {
    case 'cancel':
      if (begun) return refuse('visit_begun');
      return apply({
        event: 'cancelled',
        status: 'CANCELLED',
        cancelReason: act.reason,
        cancelledBy: act.by,
        lateCancel: !isClinicsOwn(act) && isLateCancel(appointment, now, policy),
      });
    case 'check-in':
      if (now < appointmentTime - policy.checkInFromMinutes * MINUTE_MS) return refuse('check_in_not_open');
      if (now >= Math.max(act.dateEndsAt, endOf(appointment))) return refuse('check_in_over');
      return apply({ event: 'checkedIn', status: 'SCHEDULED', checkedInAt: now });
    case 'check-in-undo':
      if (checkedInAt === null) return refuse('not_checked_in');
      return apply({ event: 'checkInUndone', status: 'SCHEDULED', checkedInAt: null });
    case 'complete':
      if (checkedInAt === null && act.byItself === true) return refuse('not_checked_in');
      if (!begun && checkedInAt === null) return refuse('visit_not_begun');
      return apply({ event: 'completed', status: 'COMPLETED' });
    case 'no-show':
      if (checkedInAt !== null) return refuse('already_checked_in');
      if (!begun) return refuse('visit_not_begun');
      return apply({ event: 'noShowMarked', status: 'NO_SHOW' });
    case 'move':
      if (begun) return refuse('visit_begun');
      if (checkedInAt !== null) return refuse('already_checked_in');
      return apply({ event: 'rescheduled', status: 'SCHEDULED' });
  }
}

/** What can be done with a visit that was completed or marked as a no-show: entered by mistake, it is corrected, for some days. */
function decideCorrection(
  appointment: AppointmentState,
  act: AppointmentAct,
  now: number,
  policy: LifecyclePolicy,
): TransitionDecision {
  const { status, checkedInAt } = appointment;
  const corrected = (change: AppointmentChange): TransitionDecision =>
    now > correctableUntil(appointment, policy) ? refuse('correction_too_late') : apply(change);
  switch (act.kind) {
    case 'complete-undo':
      if (status !== 'COMPLETED') return refuse('not_completed');
      return corrected({ event: 'completionUndone', status: 'SCHEDULED' });
    case 'no-show-undo':
      if (status !== 'NO_SHOW') return refuse('not_marked_no_show');
      return corrected({ event: 'noShowUndone', status: 'SCHEDULED' });
    case 'complete':
      if (act.byItself === true) return refuse('appointment_not_scheduled');
      return corrected({ event: 'completed', status: 'COMPLETED' });
    case 'no-show':
      if (checkedInAt !== null) return refuse('already_checked_in');
      if (now < appointment.appointmentTime) return refuse('visit_not_begun');
      return corrected({ event: 'noShowMarked', status: 'NO_SHOW' });
    default:
      return refuse('appointment_not_scheduled');
  }
}

/** Until when what became of the visit can be corrected: some days after its end, or after it was last marked. */
function correctableUntil(appointment: AppointmentState, policy: LifecyclePolicy): number {
  return Math.max(endOf(appointment), appointment.changedAt) + policy.correctionDays * DAY_MS;
}

function endOf({ appointmentTime, durationMinutes }: AppointmentState): number {
  return visitAt(appointmentTime, durationMinutes).to;
}

/**
 * Which of the clinic's limits on moving refuse it? Exactly at the notice is still in time. Staff may set them aside.
 * @param moves - how often the visit has been moved
 * @param now - epoch milliseconds
 */
export function moveLimits(
  appointment: Pick<AppointmentState, 'appointmentTime'> & { readonly moves: number },
  now: number,
  policy: Pick<ClinicPolicy, 'moveNoticeMinutes' | 'maxMovesPerAppointment'>,
): ('move_too_late' | 'too_many_moves')[] {
  const limits: ('move_too_late' | 'too_many_moves')[] = [];
  if (now > appointment.appointmentTime - policy.moveNoticeMinutes * MINUTE_MS) limits.push('move_too_late');
  if (policy.maxMovesPerAppointment !== null && appointment.moves >= policy.maxMovesPerAppointment) {
    limits.push('too_many_moves');
  }
  return limits;
}

/**
 * Is cancelling at this moment later than the clinic's notice? Exactly at the notice is still in time, and so is whoever was booked after it: they
 * never had the time.
 */
function isLateCancel(
  { appointmentTime, bookedAt }: AppointmentState,
  now: number,
  policy: Pick<ClinicPolicy, 'cancellationNoticeMinutes'>,
): boolean {
  const inTimeUntil = appointmentTime - policy.cancellationNoticeMinutes * MINUTE_MS;
  return now > inTimeUntil && bookedAt <= inTimeUntil;
}

function isAlreadySo(appointment: AppointmentState, act: AppointmentAct): boolean {
  switch (act.kind) {
    case 'cancel':
      return appointment.status === 'CANCELLED';
    case 'check-in':
      return appointment.status === 'SCHEDULED' && appointment.checkedInAt !== null;
    case 'complete':
      return appointment.status === 'COMPLETED';
    case 'no-show':
      return appointment.status === 'NO_SHOW';
    default:
      return false;
  }
}

function apply(change: AppointmentChange): TransitionDecision {
  return { decision: 'apply', change };
}

function refuse(code: TransitionRefusal): TransitionDecision {
  return { decision: 'refuse', code };
}
