import { type Interval, mergeIntervals, overlaps, subtractIntervals } from '../interval.ts';
import type { ClinicPolicy } from '../policy.ts';
import { DAY_MS } from '../clock.ts';
import {
  dayBounds,
  dayOfWeekOf,
  firstInstantAt,
  localMidnight,
  startOfDay,
  startOfLocalDay,
  timeOfDay,
  utcMidnight,
  yearOf,
  yearsLater,
} from '../time-zone.ts';

/** A weekly window or break. `startTime` and `endTime` as `HH:MM` or `HH:MM:SS`; an end at or before the start is on the next day. */
export interface WeeklyWindow {
  /** 1 = Monday … 7 = Sunday: the day on which the window starts. */
  readonly dayOfWeek: number;
  readonly startTime: string;
  readonly endTime: string;
}

/**
 * Other hours on one date, from its midnight to the next: they replace the weekly hours (not the breaks) that start on it, and what reaches into it from
 * the evening before. Without times the provider is closed on it; several rows are several windows.
 */
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

/**
 * The provider's open time that touches a date: hours (or the date's override) minus breaks, closures and time off. Windows are whole: one that
 * began the evening before or ends the next morning is not cut at midnight. Windows that touch are one.
 */
export function openWindows(schedule: ProviderSchedule, date: string): Interval[] {
  const day = dayBounds(schedule.timeZone, date);
  const midnight = utcMidnight(date);
  return openBetween(rulesBetween(schedule, midnight, midnight)).filter((window) => overlaps(window, day));
}

/** A window as milliseconds since the midnight of its own date. */
interface LocalWindow {
  readonly start: number;
  readonly end: number;
}

type ClinicClosures = Pick<ProviderSchedule, 'timeZone' | 'closures'>;

interface CompiledClosures {
  /** Those of one year only. */
  readonly closures: readonly Interval[];
  readonly yearlyClosures: readonly YearlyDates[];
}

interface CompiledSchedule extends CompiledClosures {
  /** By day of the week; the first place is empty. */
  readonly weekly: readonly (readonly LocalWindow[])[];
  readonly breaks: readonly (readonly LocalWindow[])[];
  /** By date, in the form of `utcMidnight`; no windows: closed. */
  readonly overrides: ReadonlyMap<number, readonly LocalWindow[]>;
  readonly timeOff: readonly Interval[];
}

/** First and last date of the first year, both included, in the form of `utcMidnight`. */
interface YearlyDates {
  readonly first: number;
  readonly last: number;
}

// A schedule is read-only and searched many times while it is cached, so what is written in it is parsed once.
const compiledSchedules = new WeakMap<ProviderSchedule, CompiledSchedule>();

export function compile(schedule: ProviderSchedule): CompiledSchedule {
  const known = compiledSchedules.get(schedule);
  if (known !== undefined) return known;
  const compiled: CompiledSchedule = {
    weekly: windowsByWeekday(schedule.weekly),
    breaks: windowsByWeekday(schedule.breaks),
    overrides: windowsByDate(schedule.overrides),
    ...compiledClosures(schedule),
    timeOff: mergeIntervals(schedule.timeOff),
  };
  compiledSchedules.set(schedule, compiled);
  return compiled;
}

function compiledClosures({ timeZone, closures }: ClinicClosures): CompiledClosures {
  return {
    closures: mergeIntervals(
      closures
        .filter(({ yearly }) => !yearly)
        .map(({ fromDate, toDate }) => ({
          from: startOfDay(timeZone, fromDate),
          to: startOfLocalDay(timeZone, utcMidnight(toDate) + DAY_MS),
        })),
    ),
    yearlyClosures: closures
      .filter(({ yearly }) => yearly)
      .map(({ fromDate, toDate }) => ({ first: utcMidnight(fromDate), last: utcMidnight(toDate) })),
  };
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
export interface Rules {
  readonly hours: readonly Interval[];
  readonly breaks: readonly Interval[];
  readonly closures: readonly Interval[];
  readonly timeOff: readonly Interval[];
}

/** The dates in the form of `utcMidnight`. */
export function rulesBetween(schedule: ProviderSchedule, firstDate: number, lastDate: number): Rules {
  const { timeZone } = schedule;
  const compiled = compile(schedule);
  const { weekly, breaks, overrides, timeOff } = compiled;
  const hours: Interval[] = [];
  const pauses: Interval[] = [];
  // The evening before may reach into the first date; a visit of a day that starts on the last date ends on the next, or after it if the clocks skip an hour.
  const [first, last] = [firstDate - DAY_MS, lastDate + 2 * DAY_MS];
  for (let midnight = first; midnight <= last; midnight += DAY_MS) {
    const weekday = dayOfWeekOf(midnight);
    const windows = overrides.get(midnight) ?? weekly[weekday] ?? [];
    place(hours, timeZone, midnight, overrides.has(midnight + DAY_MS) ? untilMidnight(windows) : windows);
    place(pauses, timeZone, midnight, breaks[weekday] ?? []);
  }
  return {
    hours: mergeIntervals(hours),
    breaks: mergeIntervals(pauses),
    closures: closuresBetween(timeZone, compiled, first, last),
    timeOff,
  };
}

/** When a clinic is closed, at least between two instants: merged. */
export function closedTimes(clinic: ClinicClosures, { from, to }: Interval): readonly Interval[] {
  const { timeZone } = clinic;
  return closuresBetween(
    timeZone,
    compiledClosures(clinic),
    localMidnight(timeZone, from),
    localMidnight(timeZone, to),
  );
}

/** Every closure that touches these dates, and perhaps others. The dates in the form of `utcMidnight`. */
function closuresBetween(
  timeZone: string,
  { closures, yearlyClosures }: CompiledClosures,
  firstDate: number,
  lastDate: number,
): readonly Interval[] {
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
      all.push({ from: startOfLocalDay(timeZone, from), to: startOfLocalDay(timeZone, end) });
    }
  }
  return mergeIntervals(all);
}

/** The next date has hours of its own: nothing reaches into it. */
function untilMidnight(windows: readonly LocalWindow[]): LocalWindow[] {
  return windows.map(({ start, end }) => ({ start, end: Math.min(end, DAY_MS) }));
}

/** An edge that the clocks skip is where they change: a window never ends before it begins, and none is longer than on the wall. */
function place(into: Interval[], zone: string, midnight: number, windows: readonly LocalWindow[]): void {
  for (const { start, end } of windows) {
    into.push({ from: firstInstantAt(zone, midnight + start), to: firstInstantAt(zone, midnight + end) });
  }
}

export function openBetween(rules: Rules): Interval[] {
  const withoutBreaks = subtractIntervals(rules.hours, rules.breaks);
  return subtractIntervals(subtractIntervals(withoutBreaks, rules.closures), rules.timeOff);
}
