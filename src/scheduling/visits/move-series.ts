import type { AppointmentRow, LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { decideTransition } from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import { alongWallClock, wallClockShift } from '../../domain/series.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { freedSlotOf, remainderOf } from '../claims/open-round.ts';
import { withdrawOffersFor } from '../claims/withdraw-offers.ts';
import { stateOf } from './attend.ts';
import { lockWithLaterVisits } from './lock.ts';
import { isWhereItIs, limitsOnMoving, recordMove, type Move } from './move.ts';
import { place, type WantedPlace } from './place.ts';
import { sharedNotice } from './series-notice.ts';

/** A hold is for one slot, so it does not go with several. */
export type SeriesMove = Omit<Move, 'hold'>;

/** A visit, and where it is to be. */
interface MovingVisit extends WantedPlace {
  readonly visit: LockedVisit;
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
    const { version } = named.row;
    if (version !== move.expectedVersion) throw new AppError('version_mismatch', { version });
    const decision = decide(act, named);
    if (decision.decision === 'refuse') throw new AppError(decision.code);
    const visits = [named, ...later.filter((visit) => decide(act, visit).decision === 'apply')];
    const moving = await whereTo(deps, tx, act, visits, move);
    if (moving.length === 0) return named.row;

    // All are freed before any is reserved: the series may move into its own old times, and into those that a sick day holds for it.
    for (const { visit } of moving) if (visit.claimed) await withdrawOffersFor(tx, act, visit.row.appointment_id);
    const { placed, freed } = await place(deps, tx, act, moving, {
      override: move.override,
      free: moving.map(({ visit }) => visit.row.appointment_id),
      asSeries: true,
    });

    const told = placed.map(({ visit, providerId }) => ({ appointmentId: visit.row.appointment_id, providerId }));
    let result = named.row;
    for (const to of placed) {
      const { appointment_id: appointmentId, provider_id: oldProvider } = to.visit.row;
      const left = placed
        .filter(({ providerId }) => providerId === oldProvider)
        .reduce((slot, each) => slot && remainderOf(slot, each.schedule, each.during), freedSlotOf(to.visit, freed));
      const after = await recordMove(deps, tx, act, to.visit, to, {
        notice: sharedNotice(told, { appointmentId, providerId: to.providerId }),
        freed: left,
      });
      if (appointmentId === named.row.appointment_id) result = after;
    }
    return result;
  });
}

function decide(act: Act, { row, promised }: LockedVisit) {
  return decideTransition(stateOf(row), { kind: 'move' }, act.now.getTime(), promised);
}

/** Where each of the visits is to be; those that would stay as they are are left out. The first is the one that was named. */
async function whereTo(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  visits: readonly LockedVisit[],
  move: SeriesMove,
): Promise<MovingVisit[]> {
  const [named] = visits;
  if (named === undefined) return [];
  const { timeZone } = await deps.schedules.underLock(tx, act.clinicId, named.rules);
  const start = named.row.appointment_time.getTime();
  const target = move.appointmentTime?.getTime() ?? start;
  const shift = wallClockShift(timeZone, start, target);

  const moving: MovingVisit[] = [];
  let coming = 0;
  for (const visit of visits) {
    const { row } = visit;
    const { from, isSkipped } =
      visit === named
        ? { from: target, isSkipped: false }
        : alongWallClock(timeZone, row.appointment_time.getTime(), shift);
    const durationMinutes = move.durationMinutes ?? row.duration_minutes;
    const providerId = move.providerId ?? row.provider_id;
    if (isWhereItIs(row, { from, durationMinutes, providerId })) continue;
    // As many visits go as come: only the number with another provider grows.
    const isElsewhere = providerId !== row.provider_id;
    moving.push({
      visit,
      providerId,
      patientId: row.patient_id,
      from,
      durationMinutes,
      refusals: [...limitsOnMoving(act, visit), ...(isSkipped ? (['off_grid'] as const) : [])],
      limits: isElsewhere ? 'with_provider' : undefined,
      coming: isElsewhere ? coming++ : 0,
      writes: () => ({ appointmentId: row.appointment_id }),
    });
  }
  return moving;
}
