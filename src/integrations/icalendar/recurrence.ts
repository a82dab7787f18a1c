import { DAY_MS } from '../../domain/clock.ts';
import { dayOfWeekOf, yearOf } from '../../domain/time-zone.ts';

/*
 * On which dates a rule recurs (RFC 5545 §3.3.10). Whole days alone, so there are no times and no zones: a period of the rule (a year, a month, a week,
 * a day) is looked at day by day, each day is in the rule or not, and a look has a known cost. The library's iterator looks for a date that never comes
 * until it is stopped from outside. Dates are in the form of `utcMidnight`.
 */

export interface Rule {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  readonly interval: number;
  readonly count: number | undefined;
  /** The last date. */
  readonly until: number | undefined;
  /** 1 = Monday … 7 = Sunday. */
  readonly weekStart: number;
  readonly months: readonly number[];
  /** From the end where negative. */
  readonly monthDays: readonly number[];
  /** `nth` of the month or year, from the end where negative; 0: every. */
  readonly weekdays: readonly { readonly nth: number; readonly weekday: number }[];
  readonly positions: readonly number[];
}

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
/** Times of day say nothing about dates (§3.3.10), and the calendar is the usual one. */
const IGNORED: ReadonlySet<string> = new Set(['BYHOUR', 'BYMINUTE', 'BYSECOND']);

class Unsupported extends Error {}

/**
 * A rule as holidays need it.
 * @param dateOf - of the text of UNTIL
 * @returns undefined where it says something else, cannot be read, or is met on no date of any year
 */
export function ruleOf(text: string, dateOf: (text: string) => number | undefined): Rule | undefined {
  try {
    const parts = partsOf(text);
    const take = (name: string): string | undefined => {
      const value = parts.get(name);
      parts.delete(name);
      return value;
    };
    const frequency = take('FREQ');
    if (frequency !== 'DAILY' && frequency !== 'WEEKLY' && frequency !== 'MONTHLY' && frequency !== 'YEARLY')
      return undefined;
    const until = take('UNTIL');
    const rule: Rule = {
      frequency,
      interval: wholeNumber(take('INTERVAL') ?? '1', 1, Number.MAX_SAFE_INTEGER),
      count: optional(take('COUNT'), (value) => wholeNumber(value, 1, Number.MAX_SAFE_INTEGER)),
      until: optional(until, (value) => dateOf(value) ?? unsupported()),
      weekStart: weekdayOf(take('WKST') ?? 'MO'),
      months: list(take('BYMONTH'), (value) => wholeNumber(value, 1, 12)),
      monthDays: list(take('BYMONTHDAY'), (value) => fromEitherEnd(value, 31)),
      weekdays: list(take('BYDAY'), nthWeekday),
      positions: list(take('BYSETPOS'), (value) => fromEitherEnd(value, 366)),
    };
    return parts.size === 0 && isSound(rule) ? rule : undefined;
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

function partsOf(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.toUpperCase().split(';')) {
    const [name = '', value = ''] = part.split('=', 2).map((each) => each.trim());
    if (name === '' || IGNORED.has(name) || (name === 'RSCALE' && value === 'GREGORIAN')) continue;
    if (parts.has(name)) unsupported();
    parts.set(name, value);
  }
  return parts;
}

/** What §3.3.10 forbids, and what no year has, such as 30 February. */
function isSound({ frequency, months, monthDays, weekdays }: Rule): boolean {
  const hasNth = weekdays.some(({ nth }) => nth !== 0);
  if (hasNth && (frequency === 'DAILY' || frequency === 'WEEKLY')) return false;
  if (frequency === 'WEEKLY' && monthDays.length > 0) return false;
  // The longest that each month can be: 2024 has a 29 February.
  const inMonths = months.length === 0 ? [1] : months;
  return (
    monthDays.length === 0 ||
    inMonths.some((month) => monthDays.some((day) => Math.abs(day) <= daysInMonth(2024, month - 1)))
  );
}

function unsupported(): never {
  throw new Unsupported();
}

function optional<Value>(text: string | undefined, read: (text: string) => Value): Value | undefined {
  return text === undefined ? undefined : read(text);
}

function list<Value>(text: string | undefined, read: (text: string) => Value): Value[] {
  return text === undefined ? [] : text.split(',').map((each) => read(each.trim()));
}

function wholeNumber(text: string, least: number, most: number): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : unsupported();
}

function fromEitherEnd(text: string, most: number): number {
  return wholeNumber(text, -most, most) || unsupported();
}

function weekdayOf(text: string): number {
  return WEEKDAYS.indexOf(text) + 1 || unsupported();
}

function nthWeekday(text: string): { nth: number; weekday: number } {
  const [, nth, weekday = ''] = /^([+-]?\d+)?([A-Z]{2})$/.exec(text) ?? [];
  return { nth: nth === undefined ? 0 : fromEitherEnd(nth, 53), weekday: weekdayOf(weekday) };
}

/**
 * The dates of a rule in a range, earliest first. `start` is where it begins to count; it is a date of the rule only where the rule says so.
 * @param look - called before each day and each period is looked at
 */
export function* datesOf(
  rule: Rule,
  start: number,
  within: { readonly from: number; readonly to: number },
  look: () => void,
): Generator<number> {
  const last = Math.min(within.to, rule.until ?? Number.POSITIVE_INFINITY);
  let counted = 0;
  // What is over needs no look, unless it is counted.
  const first = rule.count === undefined ? periodsUntil(rule, start, within.from) : 0;
  for (let index = first; ; index += 1) {
    look();
    const [from, end] = periodOf(rule, start, index * rule.interval);
    // Far away there are no dates at all.
    if (!(from <= last)) return;
    const days: number[] = [];
    for (let day = from; day < end; day += DAY_MS) {
      look();
      if (isOutOfMonths(rule, day)) day = dayOf(yearOf(day), monthOf(day) + 1) - DAY_MS;
      else if (isInRule(rule, start, day)) days.push(day);
    }
    for (const day of atPositions(rule.positions, days)) {
      if (day > last) return;
      if (day < start) continue;
      if (counted === rule.count) return;
      counted += 1;
      if (day >= within.from) yield day;
    }
  }
}

/** Steps of the rule that are over at a date. */
function periodsUntil({ frequency, interval, weekStart }: Rule, start: number, date: number): number {
  const years = yearOf(date) - yearOf(start);
  const passed = {
    YEARLY: years,
    MONTHLY: years * 12 + monthOf(date) - monthOf(start),
    WEEKLY: (date - weekOf(start, weekStart)) / (7 * DAY_MS),
    DAILY: (date - start) / DAY_MS,
  }[frequency];
  return Math.max(Math.floor(passed / interval), 0);
}

/** The first day of the period so many periods after that of the start, and of the one after it. */
function periodOf({ frequency, weekStart }: Rule, start: number, periods: number): readonly [number, number] {
  const year = yearOf(start);
  switch (frequency) {
    case 'YEARLY':
      return [dayOf(year + periods, 0), dayOf(year + periods + 1, 0)];
    case 'MONTHLY':
      return [dayOf(year, monthOf(start) + periods), dayOf(year, monthOf(start) + periods + 1)];
    case 'WEEKLY': {
      const week = weekOf(start, weekStart) + periods * 7 * DAY_MS;
      return [week, week + 7 * DAY_MS];
    }
    case 'DAILY':
      return [start + periods * DAY_MS, start + (periods + 1) * DAY_MS];
  }
}

function isOutOfMonths({ months }: Rule, day: number): boolean {
  return months.length > 0 && !months.includes(monthOf(day) + 1);
}

function isInRule({ frequency, months, monthDays, weekdays }: Rule, start: number, day: number): boolean {
  const date = new Date(day);
  const [month, dayOfMonth] = [date.getUTCMonth(), date.getUTCDate()];
  if (monthDays.length > 0 || weekdays.length > 0) {
    const fromEnd = dayOfMonth - daysInMonth(date.getUTCFullYear(), month) - 1;
    if (monthDays.length > 0 && !monthDays.includes(dayOfMonth) && !monthDays.includes(fromEnd)) return false;
    return (
      weekdays.length === 0 ||
      weekdays.some((each) => isNthWeekday(each, date, frequency === 'YEARLY' && months.length === 0))
    );
  }
  // What the rule leaves open is as at its start.
  const began = new Date(start);
  switch (frequency) {
    case 'YEARLY':
      return dayOfMonth === began.getUTCDate() && (months.length > 0 || month === began.getUTCMonth());
    case 'MONTHLY':
      return dayOfMonth === began.getUTCDate();
    case 'WEEKLY':
      return date.getUTCDay() === began.getUTCDay();
    case 'DAILY':
      return true;
  }
}

function isNthWeekday({ nth, weekday }: Rule['weekdays'][number], date: Date, ofYear: boolean): boolean {
  if (dayOfWeekOf(date.getTime()) !== weekday) return false;
  if (nth === 0) return true;
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const from = ofYear ? dayOf(year, 0) : dayOf(year, month);
  const end = ofYear ? dayOf(year + 1, 0) : dayOf(year, month + 1);
  const [before, after] = [(date.getTime() - from) / DAY_MS, (end - date.getTime()) / DAY_MS - 1];
  return nth > 0 ? Math.floor(before / 7) === nth - 1 : Math.floor(after / 7) === -nth - 1;
}

function atPositions(positions: readonly number[], days: readonly number[]): readonly number[] {
  if (positions.length === 0) return days;
  return days.filter((_, index) => positions.includes(index + 1) || positions.includes(index - days.length));
}

function weekOf(day: number, weekStart: number): number {
  return day - ((dayOfWeekOf(day) - weekStart + 7) % 7) * DAY_MS;
}

function monthOf(day: number): number {
  return new Date(day).getUTCMonth();
}

/** The first day of a month, counted from January of a year. `Date.UTC` takes the years 0 to 99 for those of the last century. */
function dayOf(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1);
}

function daysInMonth(year: number, month: number): number {
  return (dayOf(year, month + 1) - dayOf(year, month)) / DAY_MS;
}
