import type { AppointmentRow, LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { endReservations, restoreReservations } from '../../db/reservations.ts';
import { decideTransition, type AppointmentAct, type AppointmentChange } from '../../domain/appointment.ts';
import { visitOf } from '../../domain/clock.ts';
import { AppError } from '../../domain/errors.ts';
import { dayBounds, localDate } from '../../domain/time-zone.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { lockToAttend, lockWithResources } from './lock.ts';
import { changeVisit } from './record.ts';
import { passOnUntoldNotice } from './series-notice.ts';

interface AttendedVisit {
  readonly appointmentId: string;
  /** From `If-Match`, where the client sent one; what is already so stays so whatever it says. */
  readonly expectedVersion?: number | undefined;
}

/**
 * The patient has arrived. Repeating it changes nothing.
 * @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled`, `check_in_not_open`, `check_in_over`
 */
export function checkIn(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, ({ row, timeZone }) => {
    const date = localDate(timeZone, row.appointment_time.getTime());
    return { kind: 'check-in', dateEndsAt: dayBounds(timeZone, date).to };
  });
}

/** The arrival was a mistake. @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled`, `not_checked_in` */
export function undoCheckIn(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, () => ({ kind: 'check-in-undo' }));
}

/**
 * The visit took place, also one that was marked as a no-show. What is left of its time is free. Repeating it changes nothing.
 * @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled`, `visit_not_begun`, `correction_too_late`
 */
export function completeAppointment(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, () => ({ kind: 'complete' }));
}

/**
 * The visit is over, its patient was checked in, and nobody has said otherwise: it took place.
 * @throws AppError `not_found`, `appointment_not_scheduled`, `not_checked_in`
 */
export function completeByItself(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, () => ({ kind: 'complete', byItself: true }));
}

/**
 * It did not take place, or not yet: it is scheduled again, and has its time back.
 * @throws AppError `not_found`, `version_mismatch`, `not_completed`, `correction_too_late`, `slot_taken`, `patient_busy`
 */
export function undoCompletion(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, () => ({ kind: 'complete-undo' }), lockWithResources);
}

/**
 * Nobody came, also to one that was completed.
 * @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled`, `visit_not_begun`, `already_checked_in`, `correction_too_late`
 */
export function markNoShow(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, () => ({ kind: 'no-show' }));
}

/**
 * The mark was a mistake: it is scheduled again, and has its time back where it was completed early before.
 * @throws AppError `not_found`, `version_mismatch`, `not_marked_no_show`, `correction_too_late`, `slot_taken`, `patient_busy`
 */
export function undoNoShow(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, () => ({ kind: 'no-show-undo' }), lockWithResources);
}

function attend(
  deps: SchedulingDeps,
  act: Act,
  visit: AttendedVisit,
  wantedOf: (visit: LockedVisit) => AppointmentAct,
  lock = lockToAttend,
): Promise<AppointmentRow> {
  return door(deps, act, async (tx) => {
    const locked = await lock(tx, act.clinicId, visit.appointmentId);
    const { row: before, promised } = locked;
    const decision = decideTransition(stateOf(before), wantedOf(locked), act.now.getTime(), promised);
    if (decision.decision === 'nothing') return before;
    if (visit.expectedVersion !== undefined && visit.expectedVersion !== before.version) {
      throw new AppError('version_mismatch', { version: before.version });
    }
    if (decision.decision === 'refuse') throw new AppError(decision.code);

    const { change } = decision;
    // Of a visit that is over nothing is announced any more.
    if (change.status !== 'SCHEDULED') await passOnUntoldNotice(tx, before);
    await adjustTime(tx, act, locked, change);
    return changeVisit(tx, act, locked, columns(change), change.event);
  });
}

/** Who is done early gives back what is left; a visit that is scheduled again takes it again. */
async function adjustTime(tx: Tx, act: Act, { row, promised }: LockedVisit, { event }: AppointmentChange) {
  if (event !== 'completed' && event !== 'completionUndone' && event !== 'noShowUndone') return;
  const visit = visitOf(row);
  if (act.now.getTime() >= visit.to) return;
  if (event === 'completed') await endReservations(tx, row, act.now, promised);
  else await restoreReservations(tx, row, promised);
}

/** What the lifecycle rules read of a row. */
export function stateOf(row: AppointmentRow) {
  return {
    status: row.status,
    appointmentTime: row.appointment_time.getTime(),
    durationMinutes: row.duration_minutes,
    bookedAt: row.created_at.getTime(),
    changedAt: row.updated_at.getTime(),
    checkedInAt: row.checked_in_at?.getTime() ?? null,
  };
}

function columns(change: AppointmentChange) {
  switch (change.event) {
    case 'checkedIn':
      return { checked_in_at: new Date(change.checkedInAt) };
    case 'checkInUndone':
      return { checked_in_at: null };
    default:
      return { status: change.status };
  }
}
