import type { Closure } from '../../domain/availability/schedule.ts';
import { DAY_MS } from '../../domain/clock.ts';
import type { CalendarEvent } from '../../domain/closure-import.ts';
import { AppError } from '../../domain/errors.ts';
import { isoDateOf, utcMidnight, yearOf, yearsLater } from '../../domain/time-zone.ts';
import type { ForeignReader } from '../foreign-files.ts';
import { MalformedFileError, readComponents, textOf, type Component } from './components.ts';
import { plainText } from './plain-text.ts';
import { datesOf, ruleOf, type Rule } from './recurrence.ts';
import { extraDay, propertyOf, Skip, skip, wholeDaysOf, type SkipReason, type WholeDays } from './whole-days.ts';
import { writtenDate } from './written-date.ts';

/*
 * A calendar file (RFC 5545) as closures. The file is somebody else's: whatever is in it is either understood or named with the reason why not, what
 * cannot be read of one event says nothing about the others, and nothing in it may take long. Days are in the form of `utcMidnight`.
 */

const MAX_EVENTS = 1_000;
/** Of one event. */
const MAX_CLOSURES = 366;
/** One that lasted a year would never end. */
const MAX_YEARLY_DAYS = 365;
/** Dates from then on are dates everywhere in the product. */
const FIRST_YEAR = 1900;
const MAX_NAME = 100;
const MAX_UID = 255;
/** What PostgreSQL cannot hold: NUL and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Cs}]/u;
/** Days and periods of recurrences that are looked at in the whole file: about a second, whatever the machine does besides. */
const MAX_LOOKS = 1_000_000;

export interface HolidayCalendar {
  /** Each known UID once, without closures where it is among what is skipped. */
  readonly events: readonly CalendarEvent[];
  /** What is in the file and makes no closure, in its order. */
  readonly skipped: readonly { readonly uid?: string; readonly reason: SkipReason }[];
}

/** ISO dates, both included. */
interface DateRange {
  readonly from: string;
  readonly to: string;
}

interface Reading {
  readonly from: number;
  readonly to: number;
  /** The clinic's. */
  readonly zone: string;
  /** @throws AppError `file_too_costly` */
  readonly look: () => void;
}

/** {@link readHolidays}, for `ForeignFiles`. */
export const HOLIDAYS: ForeignReader<Parameters<typeof readHolidays>, HolidayCalendar> = {
  module: import.meta.url,
  name: 'readHolidays',
  read: readHolidays,
};

/**
 * The whole-day events of a calendar file: `DTEND` is the day after the last, and without it an event is one day. What recurs every year on its date
 * is one yearly closure; other recurrences are the dates they have `within` the range.
 * @param zone - the clinic's
 * @throws AppError `calendar_invalid` when it is no calendar or has more than 1000 events, `file_too_costly` when its recurrences are too many to count
 */
export function readHolidays(text: string, within: DateRange, zone: string): HolidayCalendar {
  let looks = 0;
  const look = (): void => {
    looks += 1;
    if (looks > MAX_LOOKS) throw new AppError('file_too_costly');
  };
  const reading: Reading = { from: utcMidnight(within.from), to: utcMidnight(within.to), zone, look };
  const components = eventsOf(text);
  if (components.length > MAX_EVENTS) throw new AppError('calendar_invalid', { reason: 'too_many_events' });
  const changes = new Map<string | undefined, Component[]>();
  const recurring = new Set<string | undefined>();
  for (const component of components) {
    const uid = textIn(component, 'UID');
    if (isChange(component)) changes.set(uid, [...(changes.get(uid) ?? []), component]);
    else recurring.add(uid);
  }

  const events: CalendarEvent[] = [];
  const skipped: { uid?: string; reason: SkipReason }[] = [];
  const seen = new Set<string>();
  for (const component of components) {
    const uid = textIn(component, 'UID');
    if (uid === undefined || uid.length > MAX_UID || UNSTORABLE.test(uid)) {
      skipped.push({ reason: uid === undefined ? 'no_uid' : 'not_understood' });
      continue;
    }
    // The changed dates of a recurrence belong to the event that recurs; where the file has only them, together to none.
    const isAlone = !recurring.has(uid);
    if (isChange(component) && !isAlone) continue;
    if (seen.has(uid)) {
      if (!isAlone) skipped.push({ uid, reason: 'duplicate' });
      continue;
    }
    seen.add(uid);
    const tell = (reason: SkipReason): void => {
      skipped.push({ uid, reason });
    };
    const closures = closuresOf(isAlone ? undefined : component, changes.get(uid) ?? [], reading, tell);
    // What was imported of it goes. Dates that stand alone say nothing of the others.
    if (closures.length > 0 || !isAlone) events.push({ uid, closures });
  }
  return { events, skipped };
}

const READ: ReadonlySet<string> = new Set([
  'UID',
  'SUMMARY',
  'STATUS',
  'SEQUENCE',
  'DTSTART',
  'DTEND',
  'DURATION',
  'RECURRENCE-ID',
  'RRULE',
  'EXRULE',
  'RDATE',
  'EXDATE',
  'X-MICROSOFT-CDO-ALLDAYEVENT',
  'X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT',
]);

/** Every event of every calendar in the file. */
function eventsOf(text: string): Component[] {
  try {
    const calendars = readComponents(text, READ);
    if (calendars.length > 0 && calendars.every(({ name }) => name === 'VCALENDAR')) {
      return calendars.flatMap(({ components }) => components.filter(({ name }) => name === 'VEVENT'));
    }
  } catch (error) {
    if (!(error instanceof MalformedFileError)) throw error;
  }
  throw new AppError('calendar_invalid');
}

/** @param component - undefined where the file has only the changes @param tell - what is skipped of them */
function closuresOf(
  component: Component | undefined,
  changes: readonly Component[],
  reading: Reading,
  tell: (reason: SkipReason) => void,
): readonly Closure[] {
  const understood = <Value>(work: () => Value): Value | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Skip)) throw error;
      tell(error.reason);
      return undefined;
    }
  };
  if (component !== undefined) {
    return (
      understood(() => closuresOfEvent(component, changedDates(component, changes, reading, understood), reading)) ?? []
    );
  }
  // Nobody has its other dates, so each says for itself why it is none.
  return changes.flatMap((change) => understood(() => once(closureOf(change, reading), reading)) ?? []);
}

/** By the date that each takes the place of: the closure it has become, none where it is cancelled or has got a time of day. */
type ChangedDates = ReadonlyMap<number, Closure | undefined>;

function changedDates(
  component: Component,
  changes: readonly Component[],
  reading: Reading,
  understood: (work: () => void) => void,
): ChangedDates {
  const changed = new Map<number, Closure | undefined>();
  const sequence = (change: Component): number => Number(textIn(change, 'SEQUENCE') ?? 0) || 0;
  // Of several changes of one date the last counts.
  for (const change of [...changes].sort((a, b) => sequence(a) - sequence(b))) {
    reading.look();
    const which = propertyOf(change, 'RECURRENCE-ID') ?? skip('not_understood');
    if ('range' in which.parameters) skip('recurrence_not_supported');
    understood(() => {
      const { midnight } = writtenDate(which.value, which, reading.zone) ?? skip('not_understood');
      changed.set(midnight, undefined);
      try {
        changed.set(midnight, closureOf(change, reading, textIn(component, 'SUMMARY')));
      } catch (error) {
        if (!(error instanceof Skip) || (error.reason !== 'cancelled' && error.reason !== 'not_all_day')) throw error;
      }
    });
  }
  return changed;
}

function closuresOfEvent(component: Component, changed: ChangedDates, reading: Reading): readonly Closure[] {
  const first = closureOf(component, reading);
  const { first: start, days } = wholeDaysOf(component, reading.zone);
  const rules = rulesOf(component, 'RRULE', reading);
  const withoutRules = rulesOf(component, 'EXRULE', reading);
  const extra = eachOf(component, 'RDATE', (value, property) => extraDay(value, property, reading.zone, days));
  const isException =
    rules.length + withoutRules.length + extra.length + changed.size > 0 || component.properties.has('EXDATE');
  if (!isException) return once(first, reading);
  const isPlain = rules.length === 1 && withoutRules.length + extra.length + changed.size === 0;
  if (isPlain && !component.properties.has('EXDATE') && rules.every((rule) => isYearlyByDate(rule, start)))
    return yearly(first, days);

  // A date counts while its days reach into the time looked at.
  const within = { from: reading.from - (days - 1) * DAY_MS, to: reading.to };
  const excluded = new Set(
    eachOf(
      component,
      'EXDATE',
      (value, property) => (writtenDate(value, property, reading.zone) ?? skip('not_understood')).midnight,
    ),
  );
  for (const rule of withoutRules) for (const date of datesOf(rule, start, within, reading.look)) excluded.add(date);
  const closures = new Map<number, Closure>();
  const close = (date: number, closure: Closure): void => {
    const isOver = utcMidnight(closure.toDate) < reading.from || utcMidnight(closure.fromDate) > reading.to;
    if (isOver || excluded.has(date)) return;
    closures.set(date, closure);
    if (closures.size > MAX_CLOSURES) skip('too_many_dates');
  };
  const add = (span: WholeDays): void => {
    if (!changed.has(span.first)) close(span.first, closureOn(span, first.name));
  };
  for (const rule of rules) for (const date of datesOf(rule, start, within, reading.look)) add({ first: date, days });
  // Without a rule its first date counts (RFC 5545 §3.8.5.2); with one, it is the rule's.
  if (rules.length === 0) add({ first: start, days });
  extra.forEach(add);
  for (const [date, closure] of changed) if (closure !== undefined) close(date, closure);
  if (closures.size === 0) skip('over');
  return [...closures.values()].sort((a, b) => (a.fromDate < b.fromDate ? -1 : 1));
}

function once(closure: Closure, { from }: Reading): readonly Closure[] {
  return utcMidnight(closure.toDate) < from ? skip('over') : [closure];
}

/** Some calendars begin what has always been in 1601 or 1604: the leap years come again every 400 years. */
function yearly(closure: Closure, days: number): readonly Closure[] {
  if (days > MAX_YEARLY_DAYS) skip('too_long');
  let first = utcMidnight(closure.fromDate);
  while (yearOf(first) < FIRST_YEAR) first = yearsLater(first, 400);
  return [{ ...closureOn({ first, days }, closure.name), yearly: true }];
}

/** Every year on the month and day of its start, for ever. */
function isYearlyByDate(
  { frequency, interval, count, until, months, monthDays, weekdays, positions }: Rule,
  start: number,
): boolean {
  const date = new Date(start);
  return (
    frequency === 'YEARLY' &&
    interval === 1 &&
    count === undefined &&
    until === undefined &&
    weekdays.length + positions.length === 0 &&
    months.every((month) => month === date.getUTCMonth() + 1) &&
    monthDays.every((day) => day === date.getUTCDate()) &&
    (monthDays.length === 0 || months.length > 0)
  );
}

/** @throws Skip */
function closureOf(component: Component, { zone }: Reading, name?: string): Closure {
  if (textIn(component, 'STATUS')?.toUpperCase() === 'CANCELLED') skip('cancelled');
  return closureOn(wholeDaysOf(component, zone), nameOf(textIn(component, 'SUMMARY') ?? name));
}

function closureOn({ first, days }: WholeDays, name: string): Closure {
  return { fromDate: isoDateOf(first), toDate: isoDateOf(first + (days - 1) * DAY_MS), name, yearly: false };
}

function rulesOf(component: Component, name: 'RRULE' | 'EXRULE', { zone }: Reading): Rule[] {
  return (component.properties.get(name) ?? []).map((property) => {
    if (property === undefined) return skip('recurrence_not_supported');
    const rule = ruleOf(
      property.value,
      (until) => writtenDate(until, { type: 'unknown', parameters: {} }, zone)?.midnight,
    );
    return rule ?? skip('recurrence_not_supported');
  });
}

/** Of every value of every property of a name. */
function eachOf<Value>(
  component: Component,
  name: 'RDATE' | 'EXDATE',
  read: (value: string, property: NonNullable<ReturnType<typeof propertyOf>>) => Value,
): Value[] {
  return (component.properties.get(name) ?? []).flatMap((property) => {
    if (property === undefined) return skip('not_understood');
    const values = property.value.split(',').filter((value) => value.trim() !== '');
    return values.map((value) => read(value, property));
  });
}

/** Is it one date of a recurrence, changed? */
function isChange({ properties }: Component): boolean {
  return properties.has('RECURRENCE-ID');
}

function textIn({ properties }: Component, name: string): string | undefined {
  return textOf(properties.get(name)?.[0]?.value ?? '') || undefined;
}

/** Cut between characters: half of a surrogate pair is none. */
function nameOf(summary: string | undefined): string {
  return (
    Array.from(plainText(summary ?? ''))
      .slice(0, MAX_NAME)
      .join('')
      .trimEnd() || 'Closed'
  );
}
