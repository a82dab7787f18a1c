import { changeAppointment, lockAppointment, policyOf, type AppointmentRow } from '../db/appointments.ts';
import { inContext } from '../db/connection.ts';
import { passOnUntoldNotice } from '../db/series.ts';
import { decideTransition, type AppointmentAct, type AppointmentChange } from '../domain/appointment.ts';
import { AppError } from '../domain/errors.ts';
import type { Act, SchedulingDeps } from './act.ts';
import { recordChange } from './record-visit.ts';

interface Visit {
  readonly appointmentId: string;
}

/** The patient has arrived. Repeating it changes nothing. @throws AppError `not_found`, `appointment_not_scheduled` */
export function checkIn(deps: SchedulingDeps, act: Act, visit: Visit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'check-in' });
}

/** The visit took place. Repeating it changes nothing. @throws AppError `not_found`, `appointment_not_scheduled`, `visit_not_begun` */
export function completeAppointment(deps: SchedulingDeps, act: Act, visit: Visit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'complete' });
}

/** Nobody came. @throws AppError `not_found`, `appointment_not_scheduled`, `visit_not_begun`, `already_checked_in` */
export function markNoShow(deps: SchedulingDeps, act: Act, visit: Visit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'no-show' });
}

/** The mark was a mistake. @throws AppError `not_found`, `not_marked_no_show` */
export function undoNoShow(deps: SchedulingDeps, act: Act, visit: Visit): Promise<AppointmentRow> {
  return attend(deps, act, visit, { kind: 'no-show-undo' });
}

function attend(deps: SchedulingDeps, act: Act, visit: Visit, wanted: AppointmentAct): Promise<AppointmentRow> {
  return inContext(deps.connection.db, { clinicId: act.clinicId }, async (tx) => {
    const before = await lockAppointment(tx, visit.appointmentId);
    if (before === undefined) throw new AppError('not_found');
    const policy = await policyOf(tx, act.clinicId, before.policy_version);
    const decision = decideTransition(stateOf(before), wanted, act.now.getTime(), policy);
    if (decision.decision === 'refuse') throw new AppError(decision.code);
    if (decision.decision === 'nothing') return before;

    // Of a visit that is over nothing is announced any more.
    if (decision.change.event !== 'checkedIn') await passOnUntoldNotice(tx, before);
    const after = await changeAppointment(tx, visit.appointmentId, columns(decision.change));
    await recordChange(tx, act, { ...visit, version: after.version, event: decision.change.event });
    return after;
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
