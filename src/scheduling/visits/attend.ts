import type { AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { decideTransition, type AppointmentAct, type AppointmentChange } from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import { isLeftToPeople } from './absent-provider.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { lockToAttend } from './lock.ts';
import { changeVisit } from './record.ts';
import { passOnUntoldNotice } from './series-notice.ts';

interface AttendedVisit {
  readonly appointmentId: string;
  /** From `If-Match`, where the client sent one; what is already so stays so whatever it says. */
  readonly expectedVersion?: number | undefined;
}

/** The patient has arrived. Repeating it changes nothing. @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled` */
export function checkIn(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'check-in' });
}

/** The visit took place. Repeating it changes nothing. @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled`, `visit_not_begun` */
export function completeAppointment(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'complete' });
}

/**
 * The visit is over and nobody marked it: it took place, unless that is for a person to say.
 * @throws AppError `not_found`, `appointment_not_scheduled`, `visit_not_begun`, `provider_away`
 */
export function completeUnmarked(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'complete' }, async (tx, row) => {
    if (await isLeftToPeople(tx, row)) throw new AppError('provider_away');
  });
}

/** Nobody came. @throws AppError `not_found`, `version_mismatch`, `appointment_not_scheduled`, `visit_not_begun`, `already_checked_in` */
export function markNoShow(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'no-show' });
}

/** The mark was a mistake. @throws AppError `not_found`, `version_mismatch`, `not_marked_no_show` */
export function undoNoShow(deps: SchedulingDeps, act: Act, visit: AttendedVisit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'no-show-undo' });
}

function attend(
  deps: SchedulingDeps,
  act: Act,
  visit: AttendedVisit,
  wanted: AppointmentAct,
  judge?: (tx: Tx, visit: AppointmentRow) => Promise<void>,
): Promise<AppointmentRow> {
  return door(deps, act, async (tx) => {
    const locked = await lockToAttend(tx, act.clinicId, visit.appointmentId);
    const { row: before, promised } = locked;
    const decision = decideTransition(stateOf(before), wanted, act.now.getTime(), promised);
    if (decision.decision === 'nothing') return before;
    if (visit.expectedVersion !== undefined && visit.expectedVersion !== before.version) {
      throw new AppError('version_mismatch', { version: before.version });
    }
    if (decision.decision === 'refuse') throw new AppError(decision.code);
    await judge?.(tx, before);

    // Of a visit that is over nothing is announced any more.
    if (decision.change.event !== 'checkedIn') await passOnUntoldNotice(tx, before);
    return changeVisit(tx, act, locked, columns(decision.change), decision.change.event);
  });
}

/** What the lifecycle rules read of a row. */
export function stateOf(row: AppointmentRow) {
  return {
    status: row.status,
    appointmentTime: row.appointment_time.getTime(),
    checkedInAt: row.checked_in_at?.getTime() ?? null,
  };
}

function columns(change: AppointmentChange) {
  return change.event === 'checkedIn' ? { checked_in_at: new Date(change.checkedInAt) } : { status: change.status };
}
