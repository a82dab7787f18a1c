import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { countHolds, endHold, findHold, insertHold, lockHold, prolongHold, type HoldRow } from '../../db/holds.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockForBooking } from '../../db/locks.ts';
import { expireReservations, isDayFull } from '../../db/reservations.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import { AppError } from '../../domain/errors.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';

/** Somebody who holds more slots than this keeps them from the others. */
const MAX_HOLDS = 5;

export interface SlotToHold {
  readonly providerId: string;
  readonly slotStart: Date;
  readonly durationMinutes: number;
  /** Who may book, extend or release it: the token's subject, or the name of what holds it on somebody's behalf. */
  readonly heldBy: string;
  /** How long; left out: as the clinic's policy says. */
  readonly minutes?: number;
}

/**
 * Keeps a slot for somebody who is about to book it. It is judged by the rules of booking and needs no patient. It ends by itself: whoever meets an
 * expired hold frees its time.
 *
 * @throws AppError `not_found`, a code of `SlotRefusal`, `too_many_holds`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function placeHold(
  deps: SchedulingDeps,
  act: Act,
  slot: SlotToHold,
  idempotency?: Idempotency,
): Promise<{ readonly hold: HoldRow; readonly replayed: boolean }> {
  return doorOnce(
    deps,
    act,
    idempotency,
    async (tx) => ({ holdId: (await holdSlot(deps, tx, act, slot)).hold_id }),
    async (tx, { holdId, replayed }) => {
      const hold = await findHold(tx, holdId);
      if (hold === undefined) throw new AppError('not_found');
      return { hold, replayed };
    },
  );
}

/** As {@link placeHold}, in the caller's own transaction, which must be given up when it throws. */
export async function holdSlot(deps: SchedulingDeps, tx: Tx, act: Act, slot: SlotToHold): Promise<HoldRow> {
  const { providerId, slotStart, durationMinutes, heldBy } = slot;
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [] });
  const schedule = await loadProviderSchedule(tx, providerId);
  if (schedule === undefined) throw new AppError('not_found');
  const verdict = judgeSlot({ schedule, from: slotStart.getTime(), durationMinutes, now: act.now.getTime() });
  if (!verdict.ok) throw new AppError(verdict.code);
  if ((await countHolds(tx, heldBy)) >= MAX_HOLDS) throw new AppError('too_many_holds');
  await expireReservations(tx, providerId, verdict.during);
  // Counted without this hold, told after it: as in booking, who has the time comes before the day's limit.
  const dayIsFull = await isDayFull(tx, providerId, verdict.day, schedule.maxDailyAppointments);
  const hold = await insertHold(tx, {
    holdId: deps.newId(),
    clinicId: act.clinicId,
    providerId,
    slotStart,
    durationMinutes,
    heldBy,
    during: verdict.during,
    minutes: slot.minutes ?? schedule.policy.holdMinutes,
    judgedAt: act.now,
  });
  if (hold === undefined) throw new AppError('slot_taken');
  if (dayIsFull) throw new AppError('day_full');
  await audit(tx, act, 'hold', hold.hold_id, 'held', { providerId, slotStart, durationMinutes });
  return hold;
}

interface HoldRef {
  readonly holdId: string;
}

/**
 * The hold lasts as long again as the policy says, from now on. Once.
 * @throws AppError `not_found`, `hold_gone`, `hold_already_extended`
 */
export function extendHold(deps: SchedulingDeps, act: Act, wanted: HoldRef): Promise<HoldRow> {
  return door(deps, act, async (tx) => {
    const hold = await lockWithProvider(tx, act, wanted);
    if (!hold.live) throw new AppError('hold_gone');
    if (hold.extended_at !== null) throw new AppError('hold_already_extended');
    const schedule = await loadProviderSchedule(tx, hold.provider_id);
    if (schedule === undefined) throw new AppError('not_found');
    const extended = await prolongHold(tx, hold.hold_id, schedule.policy.holdMinutes);
    if (extended === undefined) throw new AppError('hold_gone');
    await audit(tx, act, 'hold', hold.hold_id, 'extended');
    return extended;
  });
}

/** The holder has changed their mind: the slot is everybody's again. Repeating it, or releasing what has ended, changes nothing. @throws AppError `not_found` */
export function releaseHold(deps: SchedulingDeps, act: Act, wanted: HoldRef): Promise<void> {
  return door(deps, act, async (tx) => {
    const hold = await lockWithProvider(tx, act, wanted);
    if (hold.state === 'LIVE') await giveBackHold(tx, act, hold.hold_id);
  });
}

/** As {@link releaseHold}, of a live hold, in the caller's own transaction under the provider's lock. */
export async function giveBackHold(tx: Tx, act: Act, holdId: string): Promise<void> {
  await endHold(tx, holdId, { state: 'RELEASED' });
  await audit(tx, act, 'hold', holdId, 'released');
}

/**
 * Takes the hold's time for the slot it was placed for; the caller reserves it in the same transaction, under the provider's lock.
 * @throws AppError `not_found`, `hold_gone`, `hold_mismatch`
 */
export async function useHold(
  tx: Tx,
  wanted: { readonly holdId: string; readonly heldBy: string },
  slot: { readonly providerId: string; readonly from: number; readonly durationMinutes: number },
  appointmentId: string,
): Promise<HoldRow> {
  const hold = await lockHold(tx, wanted.holdId);
  if (hold?.held_by !== wanted.heldBy) throw new AppError('not_found');
  if (!hold.live) throw new AppError('hold_gone');
  if (
    hold.provider_id !== slot.providerId ||
    hold.slot_start.getTime() !== slot.from ||
    hold.duration_minutes !== slot.durationMinutes
  ) {
    throw new AppError('hold_mismatch');
  }
  await endHold(tx, hold.hold_id, { state: 'BOOKED', appointmentId });
  return hold;
}

async function lockWithProvider(tx: Tx, act: Act, { holdId }: HoldRef): Promise<HoldRow> {
  const seen = await findHold(tx, holdId);
  if (seen === undefined) throw new AppError('not_found');
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [seen.provider_id], patientIds: [] });
  const hold = await lockHold(tx, holdId);
  if (hold === undefined) throw new AppError('not_found');
  return hold;
}
