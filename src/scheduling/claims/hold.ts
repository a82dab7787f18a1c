import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { endHold, findHold, lockHold, prolongHold, type HoldRow } from '../../db/holds.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockForBooking } from '../../db/locks.ts';
import type { LoadedSchedule } from '../../db/schedules.ts';
import { AppError } from '../../domain/errors.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { place } from '../visits/place.ts';

/** Somebody who holds more slots than this keeps them from the others. */
const MAX_HOLDS = 5;

export interface SlotToHold {
  readonly providerId: string;
  readonly slotStart: Date;
  readonly durationMinutes: number;
  /** Who may book, extend or release it: the token's subject, or the name of what holds it on somebody's behalf. */
  readonly heldBy: string;
  /** How long; left out: as the clinic's policy says. */
  readonly minutes?: number | undefined;
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
    async (tx) => ({ holdId: await holdSlot(deps, tx, act, slot) }),
    async (tx, { holdId, replayed }) => {
      const hold = await findHold(tx, holdId);
      if (hold === undefined) throw new AppError('not_found');
      return { hold, replayed };
    },
  );
}

/** As {@link placeHold}, in the caller's own transaction, which must be given up when it throws. Returns the hold's id. */
export async function holdSlot(deps: SchedulingDeps, tx: Tx, act: Act, slot: SlotToHold): Promise<string> {
  const { providerId, slotStart, durationMinutes, heldBy, minutes } = slot;
  const holdId = deps.newId();
  const writes = ({ policy }: LoadedSchedule) => ({
    newHoldId: holdId,
    heldBy,
    holdMinutes: minutes ?? policy.holdMinutes,
    maxHolds: MAX_HOLDS,
    judgedAt: act.now,
  });
  await place(deps, tx, act, [{ providerId, from: slotStart.getTime(), durationMinutes, writes }]);
  return holdId;
}

interface HoldRef {
  readonly holdId: string;
}

/**
 * The hold lasts as long again as the policy says, from its end on. Once.
 * @throws AppError `not_found`, `hold_gone`, `hold_already_extended`
 */
export function extendHold(deps: SchedulingDeps, act: Act, wanted: HoldRef): Promise<HoldRow> {
  return door(deps, act, async (tx) => {
    const hold = await lockWithProvider(tx, act, wanted);
    if (!hold.live) throw new AppError('hold_gone');
    if (hold.extended_at !== null) throw new AppError('hold_already_extended');
    const [schedule] = await deps.schedules.readIn(tx, [hold.provider_id]);
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
  await endHold(tx, holdId);
  await audit(tx, act, 'hold', holdId, 'released');
}

/** Staff may extend and release any hold of their clinic, a patient their own. */
async function lockWithProvider(tx: Tx, act: Act, { holdId }: HoldRef): Promise<HoldRow> {
  const seen = await findHold(tx, holdId);
  if (seen === undefined) throw new AppError('not_found');
  if (act.actor.kind === 'patient' && act.actor.id !== seen.held_by) throw new AppError('not_found');
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [seen.provider_id], patientIds: [] });
  const hold = await lockHold(tx, holdId);
  if (hold === undefined) throw new AppError('not_found');
  return hold;
}
