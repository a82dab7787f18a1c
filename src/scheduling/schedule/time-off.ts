import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockForBooking } from '../../db/locks.ts';
import { deleteTimeOff, insertTimeOff } from '../../db/schedule-rules.ts';
import { sickDayOfTimeOff } from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { affectedOfProvider, type AffectedVisit } from './affected-visits.ts';
import { withdrawRefusedOffers } from '../claims/withdraw-offers.ts';
import { stopWithin } from '../sick-day/stop.ts';

/** A span in which one provider is away. */
export interface TimeOff {
  readonly providerId: string;
  /** Half-open: at `to` they are back. */
  readonly from: Date;
  readonly to: Date;
}

export interface TimeOffAdded {
  readonly timeOffId: string;
  /** How many booked visits it leaves in the time off. They stay until somebody moves them. */
  readonly affectedAppointments: number;
}

/**
 * The provider is away: nobody books into that time from here on. Visits that are booked stay.
 * @throws AppError `not_found`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function addTimeOff(
  deps: SchedulingDeps,
  act: Act,
  timeOff: TimeOff,
  idempotency?: Idempotency,
): Promise<TimeOffAdded & { readonly replayed: boolean }> {
  return doorOnce(deps, act, idempotency, async (tx) => {
    const { timeOffId, affected } = await takeTimeOff(deps, tx, act, timeOff);
    return { timeOffId, affectedAppointments: affected.length };
  });
}

/**
 * As {@link addTimeOff}, in the caller's own transaction, with the visits that it affects, earliest first. Takes the provider's lock, so the caller
 * has taken no patient's and no row's.
 */
export async function takeTimeOff(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  { providerId, from, to }: TimeOff,
): Promise<{ readonly timeOffId: string; readonly affected: readonly AffectedVisit[] }> {
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [] });
  const during = { from: from.getTime(), to: to.getTime() };
  const { affected } = await affectedOfProvider(tx, providerId, { kind: 'time_off', during }, act.now);
  const timeOffId = deps.newId();
  await insertTimeOff(tx, { timeOffId, clinicId: act.clinicId, providerId, during });
  await withdrawRefusedOffers(tx, act, providerId);
  await audit(tx, act, 'provider', providerId, 'time_off_added', { timeOffId, from, to, affected: affected.length });
  return { timeOffId, affected };
}

/** The provider is not away after all; a sick day that has entered it and goes on is stopped with it, so that nobody is moved any more. @throws AppError `not_found` */
export function removeTimeOff(
  deps: SchedulingDeps,
  act: Act,
  { providerId, timeOffId }: { readonly providerId: string; readonly timeOffId: string },
): Promise<void> {
  return door(deps, act, async (tx) => {
    const sickDayId = await sickDayOfTimeOff(tx, timeOffId);
    if (sickDayId !== undefined) await stopWithin(tx, act, sickDayId);
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [] });
    if (!(await deleteTimeOff(tx, providerId, timeOffId))) throw new AppError('not_found');
    await audit(tx, act, 'provider', providerId, 'time_off_removed', { timeOffId });
  });
}
