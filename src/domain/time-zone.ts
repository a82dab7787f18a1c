import { Temporal } from 'temporal-polyfill';
import { DAY_MS, MINUTE_MS } from './clock.ts';
import type { Interval } from './interval.ts';

/** An instant range in which a zone's offset from UTC does not change. Milliseconds. */
export interface OffsetSpan extends Interval {
  readonly offset: number;
}

/**
 * The offsets of one UTC day: one number nearly always; on the day of a clock change the instant of the change and the offsets on both sides.
 * Asking the library costs tens of microseconds, a slot search asks thousands of times.
 */
type DayOffsets = number | { readonly changeAt: number; readonly before: number; readonly after: number };

// Half a year of days in a hundred zones: about a megabyte. When it is full it starts anew.
const MAX_CACHED_DAYS = 20_000;
const offsetsByZone = new Map<string, Map<number, DayOffsets>>();
let cachedDays = 0;
let latest: { readonly zone: string; readonly days: Map<number, DayOffsets> } | undefined;

/** Is this the name of a zone in the IANA database, such as `Europe/Berlin`? Bare offsets such as `+01:00` know no clock changes and are refused. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** How far the zone's wall clock is ahead of UTC at an instant. Milliseconds. */
export function offsetAt(zone: string, instant: number): number {
  const offsets = dayOffsets(zone, Math.floor(instant / DAY_MS));
  if (typeof offsets === 'number') return offsets;
  return instant < offsets.changeAt ? offsets.before : offsets.after;
}

/** The range cut where the zone's clocks change: nearly always one span. */
export function offsetSpans(zone: string, from: number, to: number): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let start = from;
  let offset = offsetAt(zone, from);
  for (let day = Math.floor(from / DAY_MS); day * DAY_MS < to; day += 1) {
    const offsets = dayOffsets(zone, day);
    if (typeof offsets === 'number' || offsets.changeAt <= start || offsets.changeAt >= to) continue;
    spans.push({ from: start, to: offsets.changeAt, offset });
    start = offsets.changeAt;
    offset = offsets.after;
  }
  spans.push({ from: start, to, offset });
  return spans;
}

/**
 * The instant at which a zone's wall clock shows this date and time. Epoch milliseconds.
 * A time that the clocks skip is moved on by the length of the gap, a time that comes twice means the first: `compatible` in ECMAScript's Temporal
 * and the rule of RFC 5545 §3.3.5.
 *
 * @param time - `HH:MM` or `HH:MM:SS`; `24:00` is the next midnight
 * @throws RangeError for a malformed date or time or an unknown zone
 */
export function zonedInstant(zone: string, isoDate: string, time: string): number {
  return instantOfLocal(zone, utcMidnight(isoDate) + timeOfDay(time));
}

/** As {@link zonedInstant}, for a wall-clock time given as milliseconds since 1970-01-01T00:00 on that clock. */
export function instantOfLocal(zone: string, local: number): number {
  // Away from clock changes every guess agrees.
  const before = offsetAt(zone, local - DAY_MS);
  const after = offsetAt(zone, local + DAY_MS);
  if (before === after) return local - before;
  const first = local - before;
  if (offsetAt(zone, first) === before) return first;
  const second = local - after;
  if (offsetAt(zone, second) === after) return second;
  return first;
}

/** The first instant of a date in a zone; where the clocks skip midnight, the instant of the change. Epoch milliseconds. */
export function startOfDay(zone: string, isoDate: string): number {
  return startOfLocalDay(zone, utcMidnight(isoDate));
}

/** As {@link startOfDay}, of a date given as {@link utcMidnight} gives it. */
export function startOfLocalDay(zone: string, midnight: number): number {
  return firstInstantAt(zone, midnight);
}

/**
 * The first instant at which a zone's wall clock shows this time or, where the clocks skip it, a later one: then the instant of the change.
 * The time is given as for {@link instantOfLocal}.
 */
export function firstInstantAt(zone: string, local: number): number {
  const instant = instantOfLocal(zone, local);
  if (instant + offsetAt(zone, instant) === local) return instant;
  const change = offsetSpans(zone, instant - DAY_MS, instant + 1).at(-1);
  return change?.from ?? instant;
}

/** A date in a zone as instants: 23, 24 or 25 hours (or none at all, where a zone crossed the date line). */
export function dayBounds(zone: string, isoDate: string): Interval {
  const midnight = utcMidnight(isoDate);
  return { from: startOfLocalDay(zone, midnight), to: startOfLocalDay(zone, midnight + DAY_MS) };
}

/** The date that a zone's wall clock shows. ISO, `YYYY-MM-DD`. */
export function localDate(zone: string, instant: number): string {
  return isoDateOf(localMidnight(zone, instant));
}

/** As {@link localDate}, but in the form of {@link utcMidnight}. */
export function localMidnight(zone: string, instant: number): number {
  return Math.floor((instant + offsetAt(zone, instant)) / DAY_MS) * DAY_MS;
}

/** The time that a zone's wall clock shows. `HH:MM`. */
export function localTime(zone: string, instant: number): string {
  return new Date(instant + offsetAt(zone, instant)).toISOString().slice(11, 16);
}

/** 1 = Monday … 7 = Sunday (ISO 8601). */
export function dayOfWeek(isoDate: string): number {
  return dayOfWeekOf(utcMidnight(isoDate));
}

/** As {@link dayOfWeek}, of a date given as {@link utcMidnight} gives it. */
export function dayOfWeekOf(midnight: number): number {
  return new Date(midnight).getUTCDay() || 7;
}

/** The date that many calendar days later, or earlier for a negative number. */
export function addDays(isoDate: string, days: number): string {
  return isoDateOf(utcMidnight(isoDate) + days * DAY_MS);
}

/** The year of a date given as {@link utcMidnight} gives it. */
export function yearOf(midnight: number): number {
  return new Date(midnight).getUTCFullYear();
}

/** The same month and day that many years later, in the form of {@link utcMidnight}; where that year has no 29 February, 1 March. */
export function yearsLater(midnight: number, years: number): number {
  const date = new Date(midnight);
  return Date.UTC(date.getUTCFullYear() + years, date.getUTCMonth(), date.getUTCDate());
}

/**
 * The instant one ISO 8601 period earlier. Days, weeks, months and years keep the zone's wall clock; hours, minutes and seconds are exact.
 *
 * @throws RangeError for a malformed period or an unknown zone
 */
export function minusPeriod(zone: string, instant: number, period: string): number {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone).subtract(period).epochMilliseconds;
}

/**
 * A time of day as milliseconds since midnight.
 *
 * @throws RangeError when it is not `HH:MM` or `HH:MM:SS` (with or without a fraction) up to `24:00`
 */
export function timeOfDay(time: string): number {
  const match = /^(\d\d):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?$/.exec(time);
  const milliseconds = match
    ? Number(match[1]) * 3_600_000 + Number(match[2]) * MINUTE_MS + Number(match[3] ?? 0) * 1_000
    : Number.NaN;
  if (!(milliseconds <= DAY_MS)) throw new RangeError('not a time of day');
  return milliseconds;
}

/** A date as the epoch milliseconds of its midnight in UTC: the form in which dates are counted. @throws RangeError for no ISO date */
export function utcMidnight(isoDate: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(isoDate);
  const date = new Date(match ? `${isoDate}T00:00:00.000Z` : Number.NaN);
  // JavaScript reads 30 February as 2 March.
  if (date.getUTCDate() !== Number(match?.[3])) throw new RangeError('not an ISO date');
  return date.getTime();
}

/** The date of a midnight that {@link utcMidnight} gave. */
export function isoDateOf(midnight: number): string {
  return new Date(midnight).toISOString().slice(0, 10);
}

function dayOffsets(zone: string, day: number): DayOffsets {
  const cached = offsetsOf(zone).get(day);
  if (cached !== undefined) return cached;

  if (cachedDays >= MAX_CACHED_DAYS) {
    offsetsByZone.clear();
    latest = undefined;
    cachedDays = 0;
  }
  const offsets = readDayOffsets(zone, day * DAY_MS);
  offsetsOf(zone).set(day, offsets);
  cachedDays += 1;
  return offsets;
}

/** A search asks for one zone many times in a row. */
function offsetsOf(zone: string): Map<number, DayOffsets> {
  if (latest?.zone === zone) return latest.days;
  const days = offsetsByZone.get(zone) ?? new Map<number, DayOffsets>();
  offsetsByZone.set(zone, days);
  latest = { zone, days };
  return days;
}

function readDayOffsets(zone: string, from: number): DayOffsets {
  const before = readOffset(zone, from);
  const after = readOffset(zone, from + DAY_MS);
  if (before === after) return before;
  let low = from;
  let high = from + DAY_MS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (readOffset(zone, middle) === before) low = middle;
    else high = middle;
  }
  return { changeAt: high, before, after };
}

function readOffset(zone: string, instant: number): number {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone).offsetNanoseconds / 1_000_000;
}
