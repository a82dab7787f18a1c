import { policyOf, type AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { freeAppointments } from '../../db/reservations.ts';
import { loadProviderSchedule, type LoadedSchedule } from '../../db/schedules.ts';
import { sharedNotice } from '../../db/series.ts';
import { upcomingLimitsOfEach } from '../../db/upcoming-visits.ts';
import { decideTransition, moveLimits } from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import type { OverridableRule } from '../../domain/override.ts';
import { alongWallClock, wallClockShift } from '../../domain/series.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { stateOf } from './attend.ts';
import { freedSlotOf, remainderOf } from '../claims/open-round.ts';
import { lockWithLaterVisits } from './lock.ts';
import { recordMove, type Move } from './move.ts';
import { placeVisits, reservePlaces, type WantedVisit } from './place.ts';
import { withdrawOffersFor } from '../claims/withdraw-offers.ts';

/** A hold is for one slot, so it does not go with several. */
export type SeriesMove = Omit<Move, 'hold'>;

/** A visit, and where it is to be. */
interface MovingVisit extends WantedVisit {
  readonly before: AppointmentRow;
}

/**
 * Moves a visit and the later ones of its series, all of them or none: each by as many days and as much time of day on the clinic's wall clock as the
 * visit itself, to the new length and provider. Later visits that are over, cancelled or attended to stay as they are; one that was moved alone before
 * is moved from where it now is. The patient is told once.
 *
 * @returns the visit that was named
 * @throws AppError `not_found`, `version_mismatch`, `visit_begun`, `already_checked_in`, `appointment_not_scheduled`; SeriesClashError with every
 * visit's new start that cannot be had, by the codes of `moveAppointment`
 */
export function moveSeries(deps: SchedulingDeps, act: Act, move: SeriesMove): Promise<AppointmentRow> {
  return door(deps, act, async (tx) => {
    const { named, later } = await lockWithLaterVisits(tx, act.clinicId, move.appointmentId, move.providerId);
    if (named.version !== move.expectedVersion) throw new AppError('version_mismatch', { version: named.version });
    const decision = await decide(tx, act, named);
    if (decision.decision === 'refuse') throw new AppError(decision.code);

    const visits: AppointmentRow[] = [named];
    for (const visit of later) if ((await decide(tx, act, visit)).decision === 'apply') visits.push(visit);
    const moving = await whereTo(tx, act, visits, move);
    if (moving.length === 0) return named;

    // All are freed before any is reserved: the series may move into its own old times, and into those that a sick day holds for it.
    for (const { appointmentId } of moving) await withdrawOffersFor(tx, act, appointmentId);
    const freed = await freeAppointments(
      tx,
      moving.map(({ before }) => before.appointment_id),
    );
    const places = await placeVisits(tx, moving, {
      patientId: named.patient_id,
      now: act.now,
      ...(move.override === undefined ? {} : { override: move.override }),
    });
    await reservePlaces(tx, { clinicId: act.clinicId, patientId: named.patient_id }, places);

    const told = places.map(({ appointmentId, schedule }) => ({ appointmentId, providerId: schedule.providerId }));
    let result = named;
    for (const { before, schedule, from, durationMinutes, waiver } of places) {
      const old = freed.find(
        (each) => each.appointmentId === before.appointment_id && each.resourceId === before.provider_id,
      );
      const left = places
        .filter((place) => place.schedule.providerId === before.provider_id)
        .reduce(
          (slot, place) => slot && remainderOf(slot, place.schedule, place.during),
          old && freedSlotOf(before, old),
        );
      const after = await recordMove(deps, tx, act, before, {
        from,
        durationMinutes,
        schedule,
        waiver,
        notice: sharedNotice(told, { appointmentId: before.appointment_id, providerId: schedule.providerId }),
        ...(left === undefined ? {} : { freed: left }),
      });
      if (after.appointment_id === named.appointment_id) result = after;
    }
    return result;
  });
}

async function decide(tx: Tx, act: Act, visit: AppointmentRow) {
  const promised = await policyOf(tx, act.clinicId, visit.policy_version);
  return decideTransition(stateOf(visit), { kind: 'move' }, act.now.getTime(), promised);
}

/** Where each of the visits is to be; those that would stay as they are are left out. The first is the one that was named. */
async function whereTo(tx: Tx, act: Act, visits: readonly AppointmentRow[], move: SeriesMove): Promise<MovingVisit[]> {
  const [named] = visits;
  if (named === undefined) return [];
  const scheduleOf = scheduleLoader(tx);
  const { timeZone } = await scheduleOf(named.provider_id);
  const start = named.appointment_time.getTime();
  const target = move.appointmentTime?.getTime() ?? start;
  const shift = wallClockShift(timeZone, start, target);

  // As many visits go as come: only the number with another provider grows.
  const limitsOfProvider =
    move.providerId === undefined
      ? []
      : await upcomingLimitsOfEach(
          tx,
          named.patient_id,
          move.providerId,
          (await scheduleOf(move.providerId)).policy,
          visits.length,
        );

  const moving: MovingVisit[] = [];
  let coming = 0;
  for (const before of visits) {
    const at = before.appointment_time.getTime();
    const { from, isSkipped } =
      before === named ? { from: target, isSkipped: false } : alongWallClock(timeZone, at, shift);
    const durationMinutes = move.durationMinutes ?? before.duration_minutes;
    const providerId = move.providerId ?? before.provider_id;
    const isSameProvider = providerId === before.provider_id;
    if (from === at && durationMinutes === before.duration_minutes && isSameProvider) continue;
    const refusals: OverridableRule[] = isSkipped ? ['off_grid'] : [];
    const promised = await policyOf(tx, act.clinicId, before.policy_version);
    refusals.push(...moveLimits({ appointmentTime: at, moves: before.moves }, act.now.getTime(), promised));
    if (!isSameProvider) {
      const limits = limitsOfProvider[coming++] ?? [];
      refusals.push(...limits.filter((limit) => limit === 'too_many_upcoming_with_provider'));
    }
    moving.push({
      appointmentId: before.appointment_id,
      before,
      schedule: await scheduleOf(providerId),
      from,
      durationMinutes,
      refusals,
    });
  }
  return moving;
}

/** Each provider's schedule once. @throws AppError `not_found` */
function scheduleLoader(tx: Tx): (providerId: string) => Promise<LoadedSchedule> {
  const loaded = new Map<string, LoadedSchedule>();
  return async (providerId) => {
    const schedule = loaded.get(providerId) ?? (await loadProviderSchedule(tx, providerId));
    if (schedule === undefined) throw new AppError('not_found');
    loaded.set(providerId, schedule);
    return schedule;
  };
}
