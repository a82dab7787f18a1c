import { visitAt } from '../../domain/clock.ts';
import { upcomingVisits } from '../../db/booked-visits.ts';
import type { Tx } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { findClinic } from '../../db/clinics.ts';
import { lockSickDay, setSickDayState, visitsBeingMoved, type SickDayRow } from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';
import { overlaps } from '../../domain/interval.ts';
import type { SickDayStep } from '../../domain/policy.ts';
import type { SickDayReason } from '../../domain/sick-day.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { takeTimeOff } from '../schedule/time-off.ts';
import { stopWithin, tellSickDay } from './stop.ts';

export interface Absence {
  readonly providerId: string;
  /** Half-open: at `to` they are back. */
  readonly from: Date;
  readonly to: Date;
  readonly reason: SickDayReason;
  /** Of the clinic's steps only these, in the clinic's order; left out: all of them. */
  readonly steps?: readonly SickDayStep[] | undefined;
}

export interface SickDayBegun {
  readonly sickDayId: string;
  /** How many visits it has to see to. */
  readonly affectedAppointments: number;
}

/**
 * The provider is away from now on: their time off and the list of the visits that it hits are written in one transaction under the provider's lock, so
 * a visit that is booked in the same moment is on the list or is refused. A workflow then sees to each of them; visits that another sick day has in
 * hand stay there.
 *
 * @throws AppError `not_found`, `in_the_past` for an absence that is over, `step_not_in_policy`,
 * `idempotency_in_progress`, `idempotency_mismatch`
 */
export function callInSick(
  deps: SchedulingDeps,
  act: Act,
  absence: Absence,
  idempotency?: Idempotency,
): Promise<SickDayBegun & { readonly replayed: boolean }> {
  return doorOnce(deps, act, idempotency, (tx) => beginSickDay(deps, tx, act, absence));
}

async function beginSickDay(deps: SchedulingDeps, tx: Tx, act: Act, absence: Absence): Promise<SickDayBegun> {
  const { providerId, from, to } = absence;
  if (to <= act.now) throw new AppError('in_the_past');
  const clinic = await findClinic(tx, act.clinicId);
  if (clinic === undefined) throw new AppError('not_found');
  const { sickDay: policy } = clinic.policy;
  if (absence.steps?.some((step) => !policy.steps.includes(step)) === true) throw new AppError('step_not_in_policy');

  const { timeOffId } = await takeTimeOff(deps, tx, act, absence);
  const during = { from: from.getTime(), to: to.getTime() };
  const visits = (await upcomingVisits(tx, { clinicId: act.clinicId, providerId }, act.now, during)).filter((visit) =>
    overlaps(visitAt(visit.from, visit.durationMinutes), during),
  );
  const beingMoved = await visitsBeingMoved(
    tx,
    visits.map((visit) => visit.appointmentId),
  );
  const affected = visits.filter((visit) => !beingMoved.has(visit.appointmentId));

  const sickDayId = deps.newId();
  await tx
    .insertInto('sick_day')
    .values({
      sick_day_id: sickDayId,
      clinic_id: act.clinicId,
      provider_id: providerId,
      from_time: from,
      to_time: to,
      time_off_id: timeOffId,
      reason: absence.reason,
      state: 'RUNNING',
      steps: policy.steps.filter((step) => absence.steps?.includes(step) ?? true),
      offer_minutes: policy.offerMinutes,
      search_days: policy.searchDays,
      requested_by: act.actor.id,
    })
    .execute();
  if (affected.length > 0) {
    await tx
      .insertInto('sick_day_item')
      .values(
        affected.map((visit) => ({
          sick_day_id: sickDayId,
          clinic_id: act.clinicId,
          appointment_id: visit.appointmentId,
          visit_start: new Date(visit.from),
          state: 'PENDING' as const,
          reason: null,
        })),
      )
      .execute();
  }
  await tellSickDay(tx, act, sickDayId, 'requested', { providerId, from, to, timeOffId, affected: affected.length });
  return { sickDayId, affectedAppointments: affected.length };
}

interface SickDayRef {
  readonly sickDayId: string;
}

/** Nobody is offered anything new until it is resumed; offers that are out can still be answered. Repeating it changes nothing. @throws AppError `not_found`, `sick_day_ended` */
export function pauseSickDay(deps: SchedulingDeps, act: Act, wanted: SickDayRef): Promise<SickDayRow> {
  return switchTo(deps, act, wanted, 'PAUSED', 'paused');
}

/** Goes on. Repeating it changes nothing. @throws AppError `not_found`, `sick_day_ended` */
export function resumeSickDay(deps: SchedulingDeps, act: Act, wanted: SickDayRef): Promise<SickDayRow> {
  return switchTo(deps, act, wanted, 'RUNNING', 'resumed');
}

function switchTo(
  deps: SchedulingDeps,
  act: Act,
  { sickDayId }: SickDayRef,
  state: 'RUNNING' | 'PAUSED',
  event: 'paused' | 'resumed',
): Promise<SickDayRow> {
  return door(deps, act, async (tx) => {
    const before = await lockSickDay(tx, sickDayId, 'update');
    if (before === undefined) throw new AppError('not_found');
    if (before.state === 'FINISHED' || before.state === 'STOPPED') throw new AppError('sick_day_ended');
    if (before.state === state) return before;
    const after = await setSickDayState(tx, sickDayId, state);
    await tellSickDay(tx, act, sickDayId, event);
    return after;
  });
}

/**
 * Ends it: offers that are out are withdrawn and their times given back, and whatever was not dealt with says STOPPED. Those visits stay booked, in
 * the time off: somebody else sees to them. Repeating it changes nothing.
 *
 * @throws AppError `not_found`, `sick_day_ended` when it has come to its own end
 */
export function stopSickDay(deps: SchedulingDeps, act: Act, { sickDayId }: SickDayRef): Promise<SickDayRow> {
  return door(deps, act, async (tx) => {
    const stopped = await stopWithin(tx, act, sickDayId);
    if (stopped.state === 'FINISHED') throw new AppError('sick_day_ended');
    return stopped;
  });
}
