import { MINUTE_MS } from './clock.ts';
import type { Interval } from './interval.ts';

/*
 * A provider is suddenly away: what becomes of each visit, and the small rules by which another time is chosen and offered.
 */

/** Why the provider is away. Coded, and for the clinic alone: patients are told that the visit cannot take place. */
export const SICK_DAY_REASONS = ['illness', 'emergency', 'family', 'other'] as const;
export type SickDayReason = (typeof SICK_DAY_REASONS)[number];

export const SICK_DAY_STATES = ['RUNNING', 'PAUSED', 'STOPPED', 'FINISHED'] as const;
export type SickDayState = (typeof SICK_DAY_STATES)[number];

/**
 * PENDING: its next step has its turn. OFFERED: another time is held for the patient. MOVED, WAITLISTED: done. CALL: the desk calls the patient.
 * GONE: somebody has moved, cancelled or begun the visit. STOPPED: the sick day was stopped first, and the visit is still booked in the absence.
 */
export const SICK_DAY_ITEM_STATES = ['PENDING', 'OFFERED', 'MOVED', 'WAITLISTED', 'CALL', 'GONE', 'STOPPED'] as const;
export type SickDayItemState = (typeof SICK_DAY_ITEM_STATES)[number];

/** Whoever has not answered this long before the visit is called: later they would be on their way. */
const CALL_AHEAD_MS = 30 * MINUTE_MS;
/** Nobody can answer an offer that is open for less than this. */
const SHORTEST_OFFER_MS = 10 * MINUTE_MS;

/** Is it too late to wait for an answer about a visit that starts then? Epoch milliseconds. */
export function startsSoon(visitFrom: number, now: number): boolean {
  return visitFrom - CALL_AHEAD_MS - now < SHORTEST_OFFER_MS;
}

/**
 * Until when a slot is offered: as long as the policy says, but no longer than leaves time to call before the visit, and not beyond the slot's own
 * start. Undefined when that is too short to answer. Epoch milliseconds.
 */
export function offerDeadline(
  offerMinutes: number,
  times: { readonly now: number; readonly visitFrom: number; readonly slotFrom: number },
): number | undefined {
  const { now, visitFrom, slotFrom } = times;
  const deadline = Math.min(now + offerMinutes * MINUTE_MS, visitFrom - CALL_AHEAD_MS, slotFrom);
  return deadline - now < SHORTEST_OFFER_MS && deadline < now + offerMinutes * MINUTE_MS ? undefined : deadline;
}

/** The slot whose start is nearest to an instant; of two, the earlier. */
export function nearestSlot<Slot extends Interval>(slots: readonly Slot[], instant: number): Slot | undefined {
  let best: Slot | undefined;
  for (const slot of slots) {
    const isNearer =
      best === undefined ||
      Math.abs(slot.from - instant) < Math.abs(best.from - instant) ||
      (Math.abs(slot.from - instant) === Math.abs(best.from - instant) && slot.from < best.from);
    if (isNearer) best = slot;
  }
  return best;
}
