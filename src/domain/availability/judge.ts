import type { ErrorCode } from '../errors.ts';
import { type Interval, overlaps } from '../interval.ts';
import type { OverridableSlotRule } from '../override.ts';
import { DAY_MS, MINUTE_MS, visitAt } from '../clock.ts';
import { isoDateOf, localMidnight, offsetAt, startOfLocalDay } from '../time-zone.ts';
import type { AvailabilityRule } from './explain.ts';
import { type ProviderSchedule, compile, rulesBetween } from './schedule.ts';

/*
 * When a provider can be booked. Search and booking both judge by this file, so an offered slot is a bookable slot:
 * `availableSlots` generates exactly the starts for which `judgeSlot` says yes.
 *
 * Local rules are wall-clock times in the clinic's zone; instants are epoch milliseconds; every range is half-open.
 *
 * The grid: a visit may start when the clinic's wall clock shows a multiple of the slot step since local midnight. So the grid is the same whatever
 * hours and breaks lie on it, and on the day of a clock change 09:00 is still 09:00: times that are skipped have no slots, times that come twice have
 * slots both times. Steps should divide an hour.
 */

/** Who holds a provider's time. */
export const RESERVATION_PURPOSES = ['APPOINTMENT', 'HOLD', 'WAITLIST', 'EXTERNAL'] as const;
export type ReservationPurpose = (typeof RESERVATION_PURPOSES)[number];

/** A live reservation of the provider as it is stored: its buffers are inside the range. */
export interface BusyTime extends Interval {
  readonly purpose: ReservationPurpose;
  /** When the visit starts that it is for, and by that the day on which it counts; left out: where the range begins. */
  readonly visitFrom?: number | undefined;
}

/** The longest visit: a day. */
const MAX_DURATION_MINUTES = 24 * 60;

export interface VisitQuestion {
  readonly schedule: ProviderSchedule;
  readonly durationMinutes: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface SlotJudgement extends VisitQuestion {
  /** When the visit would start. Epoch milliseconds. */
  readonly from: number;
  /** The provider's live reservations; left out, only the rules that need none are judged and the database decides the rest. */
  readonly busy?: readonly BusyTime[];
  /** Rules that a member of staff sets aside on purpose. */
  readonly waived?: ReadonlySet<ErrorCode>;
}

export type SlotRefusal = Extract<
  ErrorCode,
  | 'invalid_duration'
  | 'in_the_past'
  | 'too_soon'
  | 'too_far_ahead'
  | 'outside_hours'
  | 'provider_closed'
  | 'provider_away'
  | 'off_grid'
  | 'slot_taken'
  | 'day_full'
>;

/** A local day as instants. */
export interface LocalDay extends Interval {
  /** ISO date in the clinic's zone. */
  readonly date: string;
}

/**
 * `during` is what to reserve: the visit with the provider's buffers.
 * `day` is the local day on which the visit itself starts: the day whose visits are counted against `maxDailyAppointments`.
 * `overridden` are the waived rules that would have refused.
 */
export type SlotVerdict =
  | {
      readonly ok: true;
      readonly during: Interval;
      readonly day: LocalDay;
      readonly overridden: readonly OverridableSlotRule[];
    }
  | { readonly ok: false; readonly code: SlotRefusal };

/**
 * May a visit start here? The one rule of search and booking, the patient's own conflicts apart. Of several reasons against it the first is told:
 * the length, the time from now, the provider's hours, the grid, who has the time already, the day's limit.
 *
 * The visit itself must lie in open time; its buffers may reach outside, but not into somebody else's reservation.
 */
export function judgeSlot(judgement: SlotJudgement): SlotVerdict {
  const { schedule, from, durationMinutes, now, busy, waived } = judgement;
  const { timeZone, policy, maxDailyAppointments } = schedule;
  if (!isDuration(durationMinutes)) return { ok: false, code: 'invalid_duration' };
  if (from <= now) return { ok: false, code: 'in_the_past' };

  const overridden: OverridableSlotRule[] = [];
  const refuses = (rule: OverridableSlotRule): boolean => {
    if (waived?.has(rule) !== true) return true;
    overridden.push(rule);
    return false;
  };

  const { earliest, until } = bookingWindow(schedule, now);
  if (from < earliest && refuses('too_soon')) return { ok: false, code: 'too_soon' };
  if (from >= until && refuses('too_far_ahead')) return { ok: false, code: 'too_far_ahead' };

  const visit = visitAt(from, durationMinutes);
  const objections = objectionsOfHours(schedule, visit).map(({ code }) => code);
  for (const code of new Set(objections)) if (refuses(code)) return { ok: false, code };
  if (!isOnGrid(schedule, from) && refuses('off_grid')) return { ok: false, code: 'off_grid' };

  const during: Interval = {
    from: visit.from - policy.bufferBeforeMinutes * MINUTE_MS,
    to: visit.to + policy.bufferAfterMinutes * MINUTE_MS,
  };
  if (busy?.some((each) => overlaps(each, during))) return { ok: false, code: 'slot_taken' };

  const midnight = localMidnight(timeZone, visit.from);
  if (busy !== undefined && countOfDay(timeZone, busy, midnight) >= maxDailyAppointments && refuses('day_full')) {
    return { ok: false, code: 'day_full' };
  }
  return { ok: true, during, day: localDay(timeZone, midnight), overridden };
}

/** Whole minutes, more than none, at most a day. */
export function isDuration(durationMinutes: number): boolean {
  return Number.isInteger(durationMinutes) && durationMinutes > 0 && durationMinutes <= MAX_DURATION_MINUTES;
}

/** Visits may start from `earliest`, and before `until`: the horizon counts calendar days in the clinic's zone, so a new day opens at midnight. */
export function bookingWindow(
  { timeZone, policy }: ProviderSchedule,
  now: number,
): { earliest: number; until: number } {
  return {
    earliest: now + policy.bookingNoticeMinutes * MINUTE_MS,
    until: startOfLocalDay(timeZone, localMidnight(timeZone, now) + (policy.bookingHorizonDays + 1) * DAY_MS),
  };
}

/** The codes of hours, breaks, closures and time off. */
export type HoursRefusal = Extract<SlotRefusal, 'outside_hours' | 'provider_closed' | 'provider_away'>;

/** One of these rules refuses a visit; two of them may say so with one code. A date that an override closes is one without hours, and more than that. */
export interface HoursObjection {
  readonly rule: Extract<AvailabilityRule, 'hours' | 'break' | 'closure' | 'time_off'> | 'closed_date';
  readonly code: HoursRefusal;
}

/** Why the provider's hours, breaks, closures and time off refuse a visit; none of them if it lies in open time. */
export function objectionsOfHours(schedule: ProviderSchedule, visit: Interval): HoursObjection[] {
  const midnight = localMidnight(schedule.timeZone, visit.from);
  const rules = rulesBetween(schedule, midnight, midnight);
  const hits = (intervals: readonly Interval[]): boolean => intervals.some((each) => overlaps(each, visit));
  const objections: HoursObjection[] = [];
  if (!rules.hours.some((window) => window.from <= visit.from && visit.to <= window.to)) {
    const { overrides } = compile(schedule);
    const isClosed = [midnight, localMidnight(schedule.timeZone, visit.to - 1)].some(
      (date) => overrides.get(date)?.length === 0,
    );
    if (isClosed) objections.push({ rule: 'closed_date', code: 'provider_closed' });
    objections.push({ rule: 'hours', code: isClosed ? 'provider_closed' : 'outside_hours' });
  }
  if (hits(rules.breaks)) objections.push({ rule: 'break', code: 'outside_hours' });
  if (hits(rules.closures)) objections.push({ rule: 'closure', code: 'provider_closed' });
  if (hits(rules.timeOff)) objections.push({ rule: 'time_off', code: 'provider_away' });
  return objections;
}

/** The first wall-clock time of the grid at or after a wall-clock time. Each local midnight starts the grid anew. */
export function gridAtOrAfter(local: number, step: number): number {
  const midnight = Math.floor(local / DAY_MS) * DAY_MS;
  return midnight + Math.min(Math.ceil((local - midnight) / step) * step, DAY_MS);
}

function isOnGrid({ timeZone, policy }: ProviderSchedule, instant: number): boolean {
  const local = instant + offsetAt(timeZone, instant);
  return gridAtOrAfter(local, policy.slotStepMinutes * MINUTE_MS) === local;
}

/** Times held by the EHR are busy, but they are not our appointments. */
function countsForCapacity(busy: BusyTime): boolean {
  return busy.purpose !== 'EXTERNAL';
}

/** A visit counts on the day of its own start, not on that of the buffer before it. */
function startOf({ visitFrom, from }: BusyTime): number {
  return visitFrom ?? from;
}

/** How many of the reservations are for visits that start on a local day. The database counts in the same way. */
export function countOfDay(zone: string, busy: readonly BusyTime[], midnight: number): number {
  return busy.filter((each) => countsForCapacity(each) && localMidnight(zone, startOf(each)) === midnight).length;
}

/** Does a visit that starts at an instant meet a day that is full already? */
export function fullDays(schedule: ProviderSchedule, busy: readonly BusyTime[]): (instant: number) => boolean {
  const { timeZone, maxDailyAppointments } = schedule;
  if (maxDailyAppointments <= 0) return () => true;
  if (busy.length < maxDailyAppointments) return () => false;
  const counts = new Map<number, number>();
  for (const each of busy) {
    if (!countsForCapacity(each)) continue;
    const day = localMidnight(timeZone, startOf(each));
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  return (instant) => (counts.get(localMidnight(timeZone, instant)) ?? 0) >= maxDailyAppointments;
}

export function localDay(zone: string, midnight: number): LocalDay {
  return {
    date: isoDateOf(midnight),
    from: startOfLocalDay(zone, midnight),
    to: startOfLocalDay(zone, midnight + DAY_MS),
  };
}
