import { DAY_MS, MINUTE_MS } from './clock.ts';
import type { Interval } from './interval.ts';
import { addDays, localDate, zonedInstant } from './time-zone.ts';

/*
 * A provider is suddenly away: what becomes of each visit, and the small rules by which another time is chosen and offered.
 */

/** Why the provider is away. Coded, and for the clinic alone: patients are told that the visit cannot take place. */
export const SICK_DAY_REASONS = ['illness', 'emergency', 'family', 'other'] as const;
export type SickDayReason = (typeof SICK_DAY_REASONS)[number];

export const SICK_DAY_STATES = ['RUNNING', 'PAUSED', 'STOPPED', 'FINISHED'] as const;
export type SickDayState = (typeof SICK_DAY_STATES)[number];

/**
 * PENDING: its next step has its turn. OFFERED: another time is held for the patient. MOVED: done. WAITLISTED: the patient waits for a better time, and the
 * desk calls; CALL: the desk calls. The visit stands with both.
 * GONE: somebody has moved, cancelled or begun the visit. STOPPED: the sick day was stopped first, and the visit is still booked in the absence.
 */
export const SICK_DAY_ITEM_STATES = ['PENDING', 'OFFERED', 'MOVED', 'WAITLISTED', 'CALL', 'GONE', 'STOPPED'] as const;
export type SickDayItemState = (typeof SICK_DAY_ITEM_STATES)[number];

/** Whoever has not answered this long before the visit is called: later they would be on their way. */
const CALL_AHEAD_MS = 30 * MINUTE_MS;
/** So many times are offered, one after the other, before the desk calls. */
export const MAX_OFFERS = 3;
/** By the wall clock of the clinic: only these hours count as time to answer. */
const CONTACT_HOURS = { from: '08:00', to: '20:00' } as const;

/** By whose day the time to answer is counted, and how long it is at least. */
export interface TimeToAnswer {
  readonly timeZone: string;
  /** Of contact hours. */
  readonly offerMinutes: number;
}

/** The instant at which so many minutes of contact hours have passed. Epoch milliseconds. */
export function afterContactMinutes(timeZone: string, from: number, minutes: number): number {
  let left = minutes * MINUTE_MS;
  for (let date = localDate(timeZone, from); ; date = addDays(date, 1)) {
    const opens = Math.max(from, zonedInstant(timeZone, date, CONTACT_HOURS.from));
    const closes = zonedInstant(timeZone, date, CONTACT_HOURS.to);
    if (closes <= opens) continue;
    if (opens + left <= closes) return opens + left;
    left -= closes - opens;
  }
}

/** Is it too late to wait for an answer about a visit that starts then? Epoch milliseconds. */
export function startsSoon({ timeZone, offerMinutes }: TimeToAnswer, visitFrom: number, now: number): boolean {
  return afterContactMinutes(timeZone, now, offerMinutes) > visitFrom - CALL_AHEAD_MS;
}

/**
 * Until when a slot is offered. The time until a day before the visit is shared among the offers that can still be made, this one among them; each
 * lasts at least its minutes of contact hours, and ends within them. None goes on when it is time to call before the visit, or beyond the slot's own
 * start: undefined when that leaves too little time to answer. Epoch milliseconds.
 */
export function offerDeadline(
  { timeZone, offerMinutes }: TimeToAnswer,
  times: { readonly now: number; readonly visitFrom: number; readonly slotFrom: number; readonly offersLeft: number },
): number | undefined {
  const { now, visitFrom, slotFrom, offersLeft } = times;
  const latest = Math.min(visitFrom - CALL_AHEAD_MS, slotFrom);
  const least = afterContactMinutes(timeZone, now, offerMinutes);
  if (least > latest) return undefined;
  const share = now + Math.floor((visitFrom - DAY_MS - now) / offersLeft);
  return Math.min(latest, Math.max(least, afterContactMinutes(timeZone, Math.max(now, share), 0)));
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
