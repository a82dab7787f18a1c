import type { ErrorCode } from './errors.ts';
import type { Interval } from './interval.ts';
import { intersectIntervals, mergeIntervals, overlaps, subtractIntervals } from './interval.ts';
import type { OverridableSlotRule } from './override.ts';
import type { ClinicPolicy } from './policy.ts';
import {
  DAY_MS,
  dayBounds,
  dayOfWeekOf,
  firstInstantAt,
  isoDateOf,
  localMidnight,
  MINUTE_MS,
  offsetAt,
  offsetSpans,
  startOfDay,
  startOfLocalDay,
  timeOfDay,
  utcMidnight,
  yearOf,
  yearsLater,
} from './time-zone.ts';

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

/** A weekly window or break. `startTime` and `endTime` as `HH:MM` or `HH:MM:SS`; an end at or before the start is on the next day. */
export interface WeeklyWindow {
  /** 1 = Monday … 7 = Sunday: the day on which the window starts. */
  readonly dayOfWeek: number;
  readonly startTime: string;
  readonly endTime: string;
}

/** Other hours on one date: they replace the weekly hours (not the breaks) of that date. Without times the provider is closed on it; several rows are several windows. */
export interface DateOverride {
  readonly date: string;
  readonly startTime?: string;
  readonly endTime?: string;
}

/**
 * A holiday of the clinic: ISO dates in its zone, both included.
 * A yearly one takes the same months and days of every year from that of `fromDate` on; it may go over New Year. A date that a year does not have,
 * 29 February, is left out in that year (RFC 5545 §3.3.10).
 */
export interface Closure {
  readonly fromDate: string;
  readonly toDate: string;
  readonly name: string;
  readonly yearly: boolean;
}

export type SchedulePolicy = Pick<
  ClinicPolicy,
  'slotStepMinutes' | 'bufferBeforeMinutes' | 'bufferAfterMinutes' | 'bookingNoticeMinutes' | 'bookingHorizonDays'
>;

/** Everything about one provider that the rules read, as the database loads it. */
export interface ProviderSchedule {
  readonly providerId: string;
  readonly clinicId: string;
  /** The clinic's IANA zone. */
  readonly timeZone: string;
  readonly scheduleVersion: number;
  readonly policyVersion: number;
  readonly maxDailyAppointments: number;
  readonly weekly: readonly WeeklyWindow[];
  readonly breaks: readonly WeeklyWindow[];
  readonly overrides: readonly DateOverride[];
  readonly closures: readonly Closure[];
  readonly timeOff: readonly Interval[];
  readonly policy: SchedulePolicy;
}

/** Who holds a provider's time. */
export const RESERVATION_PURPOSES = ['APPOINTMENT', 'HOLD', 'WAITLIST', 'EXTERNAL'] as const;
export type ReservationPurpose = (typeof RESERVATION_PURPOSES)[number];

/** A live reservation of the provider as it is stored: its buffers are inside the range. */
export interface BusyTime extends Interval {
  readonly purpose: ReservationPurpose;
}

/** The longest visit: a day. */
const MAX_DURATION_MINUTES = 24 * 60;

interface VisitQuestion {
  readonly schedule: ProviderSchedule;
  readonly durationMinutes: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface SlotSearch extends VisitQuestion {
  /** ISO date in the clinic's zone. A slot belongs to the date on which it starts. */
  readonly date: string;
  /** The provider's live reservations in {@link busyRange}, in any order. */
  readonly busy: readonly BusyTime[];
}

export interface SlotRangeSearch extends VisitQuestion {
  /** First and last ISO date in the clinic's zone, both included. */
  readonly fromDate: string;
  readonly toDate: string;
  readonly busy: readonly BusyTime[];
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
 * `day` is the local day on which the reservation starts: the day whose reservations are counted against `maxDailyAppointments`.
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
 * The provider's open time that touches a date: hours (or the date's override) minus breaks, closures and time off. Windows are whole: one that
 * began the evening before or ends the next morning is not cut at midnight. Windows that touch are one.
 */
export function openWindows(schedule: ProviderSchedule, date: string): Interval[] {
  const day = dayBounds(schedule.timeZone, date);
  const midnight = utcMidnight(date);
  return openBetween(rulesBetween(schedule, midnight, midnight)).filter((window) => overlaps(window, day));
}

/** The visits of this length that can be booked on this date, earliest first. None for a length that is no valid duration. */
export function availableSlots(search: SlotSearch): { slots: Interval[] } {
  return availableSlotsInRange({ ...search, fromDate: search.date, toDate: search.date });
}

/** As {@link availableSlots}, for several dates at once. */
export function availableSlotsInRange(search: SlotRangeSearch): { slots: Interval[] } {
  const { schedule } = search;
  const [first, last] = [utcMidnight(search.fromDate), utcMidnight(search.toDate)];
  const range: Interval = {
    from: startOfLocalDay(schedule.timeZone, first),
    to: startOfLocalDay(schedule.timeZone, last + DAY_MS),
  };
  return { slots: sweep(search, openBetween(rulesBetween(schedule, first, last)), range) };
}

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
  if (from < now) return { ok: false, code: 'in_the_past' };

  const overridden: OverridableSlotRule[] = [];
  const refuses = (rule: OverridableSlotRule): boolean => {
    if (waived?.has(rule) !== true) return true;
    overridden.push(rule);
    return false;
  };

  const { earliest, until } = bookingWindow(schedule, now);
  if (from < earliest && refuses('too_soon')) return { ok: false, code: 'too_soon' };
  if (from >= until && refuses('too_far_ahead')) return { ok: false, code: 'too_far_ahead' };

  const visit: Interval = { from, to: from + durationMinutes * MINUTE_MS };
  const objections = objectionsOfHours(schedule, visit).map(({ code }) => code);
  for (const code of new Set(objections)) if (refuses(code)) return { ok: false, code };
  if (!isOnGrid(schedule, from) && refuses('off_grid')) return { ok: false, code: 'off_grid' };

  const during: Interval = {
    from: visit.from - policy.bufferBeforeMinutes * MINUTE_MS,
    to: visit.to + policy.bufferAfterMinutes * MINUTE_MS,
  };
  if (busy?.some((each) => overlaps(each, during))) return { ok: false, code: 'slot_taken' };

  const midnight = localMidnight(timeZone, during.from);
  if (busy !== undefined && countOfDay(timeZone, busy, midnight) >= maxDailyAppointments && refuses('day_full')) {
    return { ok: false, code: 'day_full' };
  }
  return { ok: true, during, day: localDay(timeZone, midnight), overridden };
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
  // A start counts for the day on which its buffer begins.
  remove(
    'capacity',
    [midnight - DAY_MS, midnight]
      .filter((each) => countOfDay(timeZone, busy, each) >= schedule.maxDailyAppointments)
      .map((each) => localDay(timeZone, each))
      .map((full) => ({ from: full.from + before, to: full.to + before })),
  );
  remove(
    'duration',
    open.filter((window) => !slots.some((slot) => window.from <= slot.from && slot.from < window.to)),
  );
  return { day, open, slots, removed };
}

/** The range whose reservations a search over these dates must know. */
export function busyRange(
  schedule: ProviderSchedule,
  fromDate: string,
  toDate: string,
  durationMinutes: number,
): Interval {
  const { timeZone, policy } = schedule;
  const firstReserved = startOfDay(timeZone, fromDate) - policy.bufferBeforeMinutes * MINUTE_MS;
  return {
    from: startOfLocalDay(timeZone, localMidnight(timeZone, firstReserved)),
    to:
      startOfLocalDay(timeZone, utcMidnight(toDate) + DAY_MS) +
      (durationMinutes + policy.bufferAfterMinutes) * MINUTE_MS,
  };
}

/** The longest visit that fits into free time of the provider with its buffers, from the first start on the grid; undefined when none does. */
export function visitWithin({ timeZone, policy }: ProviderSchedule, free: Interval): Interval | undefined {
  const earliest = free.from + policy.bufferBeforeMinutes * MINUTE_MS;
  const end = free.to - policy.bufferAfterMinutes * MINUTE_MS;
  if (earliest >= end) return undefined;
  for (const span of offsetSpans(timeZone, earliest, end)) {
    const from = gridAtOrAfter(span.from + span.offset, policy.slotStepMinutes * MINUTE_MS) - span.offset;
    if (from >= span.to) continue;
    const minutes = Math.floor((end - from) / MINUTE_MS);
    return minutes > 0 ? { from, to: from + minutes * MINUTE_MS } : undefined;
  }
  return undefined;
}

/** Whole minutes, more than none, at most a day. */
function isDuration(durationMinutes: number): boolean {
  return Number.isInteger(durationMinutes) && durationMinutes > 0 && durationMinutes <= MAX_DURATION_MINUTES;
}

/** A window as milliseconds since the midnight of its own date. */
interface LocalWindow {
  readonly start: number;
  readonly end: number;
}

interface CompiledSchedule {
  /** By day of the week; the first place is empty. */
  readonly weekly: readonly (readonly LocalWindow[])[];
  readonly breaks: readonly (readonly LocalWindow[])[];
  /** By date, in the form of `utcMidnight`; no windows: closed. */
  readonly overrides: ReadonlyMap<number, readonly LocalWindow[]>;
  /** Those of one year only. */
  readonly closures: readonly Interval[];
  readonly yearlyClosures: readonly YearlyDates[];
  readonly timeOff: readonly Interval[];
}

/** First and last date of the first year, both included, in the form of `utcMidnight`. */
interface YearlyDates {
  readonly first: number;
  readonly last: number;
}

// A schedule is read-only and searched many times while it is cached, so what is written in it is parsed once.
const compiledSchedules = new WeakMap<ProviderSchedule, CompiledSchedule>();

function compile(schedule: ProviderSchedule): CompiledSchedule {
  const known = compiledSchedules.get(schedule);
  if (known !== undefined) return known;
  const compiled: CompiledSchedule = {
    weekly: windowsByWeekday(schedule.weekly),
    breaks: windowsByWeekday(schedule.breaks),
    overrides: windowsByDate(schedule.overrides),
    closures: mergeIntervals(
      schedule.closures
        .filter(({ yearly }) => !yearly)
        .map(({ fromDate, toDate }) => ({
          from: startOfDay(schedule.timeZone, fromDate),
          to: startOfLocalDay(schedule.timeZone, utcMidnight(toDate) + DAY_MS),
        })),
    ),
    yearlyClosures: schedule.closures
      .filter(({ yearly }) => yearly)
      .map(({ fromDate, toDate }) => ({ first: utcMidnight(fromDate), last: utcMidnight(toDate) })),
    timeOff: mergeIntervals(schedule.timeOff),
  };
  compiledSchedules.set(schedule, compiled);
  return compiled;
}

function windowsByWeekday(windows: readonly WeeklyWindow[]): LocalWindow[][] {
  return Array.from({ length: 8 }, (_, day) =>
    windows.filter((each) => each.dayOfWeek === day).map((each) => localWindow(each.startTime, each.endTime)),
  );
}

function windowsByDate(overrides: readonly DateOverride[]): Map<number, LocalWindow[]> {
  const byDate = new Map<number, LocalWindow[]>();
  const closed = new Set<number>();
  for (const { date, startTime, endTime } of overrides) {
    const midnight = utcMidnight(date);
    const windows = byDate.get(midnight) ?? [];
    if (startTime === undefined || endTime === undefined) closed.add(midnight);
    else windows.push(localWindow(startTime, endTime));
    byDate.set(midnight, windows);
  }
  for (const midnight of closed) byDate.set(midnight, []);
  return byDate;
}

function localWindow(startTime: string, endTime: string): LocalWindow {
  const start = timeOfDay(startTime);
  const end = timeOfDay(endTime);
  return { start, end: end > start ? end : end + DAY_MS };
}

/** Each rule's intervals, merged: enough of them to judge every visit that starts on the dates asked for. */
interface Rules {
  readonly hours: readonly Interval[];
  readonly breaks: readonly Interval[];
  readonly closures: readonly Interval[];
  readonly timeOff: readonly Interval[];
}

/** The dates in the form of `utcMidnight`. */
function rulesBetween(schedule: ProviderSchedule, firstDate: number, lastDate: number): Rules {
  const { timeZone } = schedule;
  const { weekly, breaks, overrides, timeOff } = compile(schedule);
  const hours: Interval[] = [];
  const pauses: Interval[] = [];
  // The evening before may reach into the first date; a visit of a day that starts on the last date ends on the next, or after it if the clocks skip an hour.
  const [first, last] = [firstDate - DAY_MS, lastDate + 2 * DAY_MS];
  for (let midnight = first; midnight <= last; midnight += DAY_MS) {
    const weekday = dayOfWeekOf(midnight);
    place(hours, timeZone, midnight, overrides.get(midnight) ?? weekly[weekday] ?? []);
    place(pauses, timeZone, midnight, breaks[weekday] ?? []);
  }
  return {
    hours: mergeIntervals(hours),
    breaks: mergeIntervals(pauses),
    closures: closuresBetween(schedule, first, last),
    timeOff,
  };
}

/** Every closure that touches these dates, and perhaps others. */
function closuresBetween(schedule: ProviderSchedule, firstDate: number, lastDate: number): readonly Interval[] {
  const { closures, yearlyClosures } = compile(schedule);
  if (yearlyClosures.length === 0) return closures;
  const all = [...closures];
  // One that began in the year before may go on in this one.
  for (let year = yearOf(firstDate) - 1; year <= yearOf(lastDate); year += 1) {
    for (const { first, last } of yearlyClosures) {
      const years = year - yearOf(first);
      const from = yearsLater(first, years);
      const to = yearsLater(last, years);
      // A last date that this year does not have has become the one after it.
      const end = yearsLater(to, -years) === last ? to + DAY_MS : to;
      if (years < 0 || from > lastDate || end <= firstDate) continue;
      all.push({ from: startOfLocalDay(schedule.timeZone, from), to: startOfLocalDay(schedule.timeZone, end) });
    }
  }
  return mergeIntervals(all);
}

/** An edge that the clocks skip is where they change: a window never ends before it begins, and none is longer than on the wall. */
function place(into: Interval[], zone: string, midnight: number, windows: readonly LocalWindow[]): void {
  for (const { start, end } of windows) {
    into.push({ from: firstInstantAt(zone, midnight + start), to: firstInstantAt(zone, midnight + end) });
  }
}

function openBetween(rules: Rules): Interval[] {
  const withoutBreaks = subtractIntervals(rules.hours, rules.breaks);
  return subtractIntervals(subtractIntervals(withoutBreaks, rules.closures), rules.timeOff);
}

/** Visits may start from `earliest`, and before `until`: the horizon counts calendar days in the clinic's zone, so a new day opens at midnight. */
function bookingWindow({ timeZone, policy }: ProviderSchedule, now: number): { earliest: number; until: number } {
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
    const isClosed = compile(schedule).overrides.get(midnight)?.length === 0;
    if (isClosed) objections.push({ rule: 'closed_date', code: 'provider_closed' });
    objections.push({ rule: 'hours', code: isClosed ? 'provider_closed' : 'outside_hours' });
  }
  if (hits(rules.breaks)) objections.push({ rule: 'break', code: 'outside_hours' });
  if (hits(rules.closures)) objections.push({ rule: 'closure', code: 'provider_closed' });
  if (hits(rules.timeOff)) objections.push({ rule: 'time_off', code: 'provider_away' });
  return objections;
}

/**
 * Every start on the grid in `range` whose visit lies in one open window and whose reservation meets no busy time: one pass over three sorted lists.
 * The zone is asked only at window edges.
 */
function sweep(
  { schedule, durationMinutes, now, busy }: SlotRangeSearch,
  open: readonly Interval[],
  range: Interval,
): Interval[] {
  if (!isDuration(durationMinutes)) return [];
  const { timeZone, policy } = schedule;
  const step = policy.slotStepMinutes * MINUTE_MS;
  const duration = durationMinutes * MINUTE_MS;
  const before = policy.bufferBeforeMinutes * MINUTE_MS;
  const lengthWithBuffer = duration + policy.bufferAfterMinutes * MINUTE_MS;
  const { earliest, until } = bookingWindow(schedule, now);
  const firstStart = Math.max(range.from, earliest, now);
  const endOfStarts = Math.min(range.to, until);
  const taken = mergeIntervals(busy);
  const isFull = fullDays(schedule, busy);

  const slots: Interval[] = [];
  let index = 0;
  for (const window of open) {
    const from = Math.max(window.from, firstStart);
    const to = Math.min(window.to - duration + 1, endOfStarts);
    if (from >= to) continue;
    for (const span of offsetSpans(timeZone, from, to)) {
      let start = gridAtOrAfter(span.from + span.offset, step) - span.offset;
      while (start < span.to) {
        let block = taken[index];
        while (block !== undefined && block.to + before <= start) block = taken[++index];
        if (block !== undefined && block.from < start + lengthWithBuffer) {
          start = gridAtOrAfter(block.to + before + span.offset, step) - span.offset;
          continue;
        }
        if (!isFull(start - before)) slots.push({ from: start, to: start + duration });
        start = gridAtOrAfter(start + 1 + span.offset, step) - span.offset;
      }
    }
  }
  return slots;
}

/** The first wall-clock time of the grid at or after a wall-clock time. Each local midnight starts the grid anew. */
function gridAtOrAfter(local: number, step: number): number {
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

/** How many of the reservations start on a local day. The database counts in the same way. */
function countOfDay(zone: string, busy: readonly BusyTime[], midnight: number): number {
  return busy.filter((each) => countsForCapacity(each) && localMidnight(zone, each.from) === midnight).length;
}

/** Does a reservation that starts at an instant meet a day that is full already? */
function fullDays(schedule: ProviderSchedule, busy: readonly BusyTime[]): (instant: number) => boolean {
  const { timeZone, maxDailyAppointments } = schedule;
  if (maxDailyAppointments <= 0) return () => true;
  if (busy.length < maxDailyAppointments) return () => false;
  const counts = new Map<number, number>();
  for (const each of busy) {
    if (!countsForCapacity(each)) continue;
    const day = localMidnight(timeZone, each.from);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  return (instant) => (counts.get(localMidnight(timeZone, instant)) ?? 0) >= maxDailyAppointments;
}

function localDay(zone: string, midnight: number): LocalDay {
  return {
    date: isoDateOf(midnight),
    from: startOfLocalDay(zone, midnight),
    to: startOfLocalDay(zone, midnight + DAY_MS),
  };
}
