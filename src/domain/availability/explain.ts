import { type Interval, intersectIntervals, mergeIntervals, subtractIntervals } from '../interval.ts';
import { MINUTE_MS } from '../clock.ts';
import { utcMidnight } from '../time-zone.ts';
import { type ReservationPurpose, type BusyTime, type LocalDay, bookingWindow, countOfDay, localDay } from './judge.ts';
import { rulesBetween } from './schedule.ts';
import { type SlotSearch, availableSlots } from './search.ts';

/** The rules that can take time away, in the order in which they are asked: what one has removed, the next does not see. */
export const AVAILABILITY_RULES = [
  'hours',
  'break',
  'closure',
  'time_off',
  'notice',
  'horizon',
  'booked',
  'hold',
  'waitlist',
  'ehr',
  'buffer',
  'capacity',
  'duration',
] as const;
export type AvailabilityRule = (typeof AVAILABILITY_RULES)[number];

export interface AvailabilityExplanation {
  readonly day: LocalDay;
  /** What is left of the day when every rule has had its say: the windows in which the slots start. */
  readonly open: readonly Interval[];
  readonly slots: readonly Interval[];
  /** Only the rules that removed something, in the order of {@link AVAILABILITY_RULES}. With `open` they make up the whole day, without overlap. */
  readonly removed: readonly { readonly rule: AvailabilityRule; readonly windows: readonly Interval[] }[];
}

/**
 * Which rule took which part of a date away: the answer to "why is there nothing on Tuesday?".
 * Each moment is put down to the first rule that removed it, in the order of {@link AVAILABILITY_RULES}.
 */
export function explainAvailability(search: SlotSearch): AvailabilityExplanation {
  const { schedule, date, now, busy } = search;
  const { policy, timeZone } = schedule;
  const midnight = utcMidnight(date);
  const day = localDay(timeZone, midnight);
  const rules = rulesBetween(schedule, midnight, midnight);
  const { slots } = availableSlots(search);
  const { earliest, until } = bookingWindow(schedule, now);
  const before = policy.bufferBeforeMinutes * MINUTE_MS;
  const after = policy.bufferAfterMinutes * MINUTE_MS;

  let open = mergeIntervals([{ from: day.from, to: day.to }]);
  const removed: { rule: AvailabilityRule; windows: Interval[] }[] = [];
  const remove = (rule: AvailabilityRule, cut: readonly Interval[]): void => {
    const merged = mergeIntervals(cut);
    const windows = intersectIntervals(open, merged);
    if (windows.length > 0) removed.push({ rule, windows });
    open = subtractIntervals(open, merged);
  };
  const reservedFor = (purpose: ReservationPurpose): BusyTime[] => busy.filter((each) => each.purpose === purpose);

  remove('hours', subtractIntervals(open, rules.hours));
  remove('break', rules.breaks);
  remove('closure', rules.closures);
  remove('time_off', rules.timeOff);
  remove('notice', [{ from: Number.NEGATIVE_INFINITY, to: earliest }]);
  remove('horizon', [{ from: until, to: Number.POSITIVE_INFINITY }]);
  remove('booked', reservedFor('APPOINTMENT'));
  remove('hold', reservedFor('HOLD'));
  remove('waitlist', reservedFor('WAITLIST'));
  remove('ehr', reservedFor('EXTERNAL'));
  remove(
    'buffer',
    busy.map((each) => ({ from: each.from - after, to: each.to + before })),
  );
  const isFull = countOfDay(timeZone, busy, midnight) >= schedule.maxDailyAppointments;
  remove('capacity', isFull ? [day] : []);
  remove(
    'duration',
    open.filter((window) => !slots.some((slot) => window.from <= slot.from && slot.from < window.to)),
  );
  return { day, open, slots, removed };
}
