import ICAL from 'ical.js';
import { runInNewContext } from 'node:vm';
import type { Closure } from '../../domain/availability/schedule.ts';
import type { CalendarEvent } from '../../domain/closure-import.ts';
import { AppError } from '../../domain/errors.ts';
import { DAY_MS } from '../../domain/clock.ts';
import { addDays, isoDateOf, utcMidnight, yearsLater } from '../../domain/time-zone.ts';
import { plainText } from './plain-text.ts';

/*
 * A calendar file (RFC 5545) as closures. The file is somebody else's: whatever is in it is either understood or named with the reason why not, and
 * nothing in it may take long.
 */

const MAX_EVENTS = 1_000;
/** Of one event: closures it makes, and days of one closure. */
const MAX_CLOSURES = 366;
const MAX_DAYS = 366;
/** One that lasted a year would never end. */
const MAX_YEARLY_DAYS = 365;
/** Dates from here to {@link LAST_YEAR} are dates everywhere in the product. */
const FIRST_YEAR = '1900';
const LAST_YEAR = '2999';
const MAX_NAME = 100;
const MAX_UID = 255;
/** What PostgreSQL cannot hold: NUL and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Cs}]/u;
/** Milliseconds for one event's recurrence, and for those of the whole file. */
const EVENT_BUDGET = 250;
const FILE_BUDGET = 1_000;

export const SKIP_REASONS = [
  'no_uid',
  'duplicate',
  'cancelled',
  'not_all_day',
  'over',
  'too_long',
  'too_many_dates',
  'recurrence_not_supported',
  'not_understood',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

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

type Outcome = { readonly closures: readonly Closure[] } | { readonly reason: SkipReason };

/**
 * The whole-day events of a calendar file: `DTEND` is the day after the last, and without it an event is one day. What recurs every year on its date
 * is one yearly closure; other recurrences are the dates they have `within` the range.
 * @throws AppError `calendar_invalid` when it is no calendar, has more than 1000 events, or takes more than a second
 */
export function readHolidays(text: string, within: DateRange): HolidayCalendar {
  const components = eventsOf(text);
  if (components.length > MAX_EVENTS) throw new AppError('calendar_invalid', { reason: 'too_many_events' });
  const events: CalendarEvent[] = [];
  const skipped: { uid?: string; reason: SkipReason }[] = [];
  const changes = new Map<string | undefined, ICAL.Component[]>();
  for (const component of components.filter(isChange)) {
    const uid = textOf(component, 'uid');
    changes.set(uid, [...(changes.get(uid) ?? []), component]);
  }
  const recurring = new Set(components.filter((each) => !isChange(each)).map((each) => textOf(each, 'uid')));
  const seen = new Set<string>();
  let budget = FILE_BUDGET;
  for (const component of components) {
    const uid = textOf(component, 'uid');
    if (uid === undefined || uid.length > MAX_UID || UNSTORABLE.test(uid)) {
      skipped.push({ reason: uid === undefined ? 'no_uid' : 'not_understood' });
      continue;
    }
    // The changed date of a recurrence belongs to the event that recurs.
    const isAlone = isChange(component);
    if (isAlone && recurring.has(uid)) continue;
    if (seen.has(uid)) {
      skipped.push({ uid, reason: 'duplicate' });
      continue;
    }
    seen.add(uid);
    const began = performance.now();
    const outcome = understood(component, isAlone ? [] : (changes.get(uid) ?? []), within);
    budget -= performance.now() - began;
    if (budget < 0) throw new AppError('calendar_invalid', { reason: 'too_costly' });
    if ('reason' in outcome) skipped.push({ uid, reason: outcome.reason });
    if ('closures' in outcome) events.push({ uid, closures: outcome.closures });
    // What was imported of it goes. A date that stands alone says nothing of the others.
    else if (!isAlone) events.push({ uid, closures: [] });
  }
  return { events, skipped };
}

/** Is it one date of a recurrence, changed? */
function isChange(component: ICAL.Component): boolean {
  return component.hasProperty('recurrence-id');
}

/** Every event of every calendar in the file. */
function eventsOf(text: string): ICAL.Component[] {
  try {
    const parsed = ICAL.parse(text) as unknown[];
    const calendars = (typeof parsed[0] === 'string' ? [parsed] : parsed).map(
      (jCal) => new ICAL.Component(jCal as unknown[]),
    );
    if (calendars.length === 0 || calendars.some(({ name }) => name !== 'vcalendar'))
      throw new AppError('calendar_invalid');
    return calendars.flatMap((calendar) => calendar.getAllSubcomponents('vevent'));
  } catch (error) {
    // The library's message quotes the file.
    if (error instanceof AppError) throw error;
    throw new AppError('calendar_invalid');
  }
}

function understood(component: ICAL.Component, changes: readonly ICAL.Component[], within: DateRange): Outcome {
  try {
    return isCancelled(component) ? { reason: 'cancelled' } : closuresOf(component, changes, within);
  } catch {
    return { reason: 'not_understood' };
  }
}

/** @param changes - of single dates of the event, by its UID */
function closuresOf(component: ICAL.Component, changes: readonly ICAL.Component[], within: DateRange): Outcome {
  for (const name of ['dtstart', 'dtend']) {
    const property = component.getFirstProperty(name);
    if (property === null) continue;
    if (property.type !== 'date') return { reason: 'not_all_day' };
    // The library makes 2 March of 30 February.
    if (String(property.getFirstValue()) !== textIn(property)) return { reason: 'not_understood' };
  }
  const length = component.getFirstPropertyValue('duration') as ICAL.Duration | null;
  if (length !== null && length.hours + length.minutes + length.seconds > 0) return { reason: 'not_all_day' };
  // Named, for else the library takes the changed dates of every event in the file for this one's.
  const event = new ICAL.Event(component, { exceptions: [...changes] });
  const once = closureOf(event.startDate, event.endDate, event.summary);
  if (!('closures' in once)) return once;
  const [first] = once.closures;
  if (!event.isRecurring()) return first !== undefined && first.toDate < within.from ? { reason: 'over' } : once;
  if (!isSupported(component)) return { reason: 'recurrence_not_supported' };
  if (isYearlyByDate(component, event)) return yearly(once.closures);
  return withinBudget(() => datesOf(component, event, within));
}

function closureOf(start: ICAL.Time, end: ICAL.Time, summary: string | null): Outcome {
  if (!start.isDate || !end.isDate) return { reason: 'not_all_day' };
  const fromDate = start.toString();
  const days = (utcMidnight(end.toString()) - utcMidnight(fromDate)) / DAY_MS;
  if (days < 0) return { reason: 'not_understood' };
  if (days > MAX_DAYS) return { reason: 'too_long' };
  if (end.year > Number(LAST_YEAR)) return { reason: 'not_understood' };
  // An end on the day of the start says nothing (RFC 5545 §3.6.1 forbids it), and often means that day.
  return {
    closures: [{ fromDate, toDate: addDays(fromDate, Math.max(days, 1) - 1), name: nameOf(summary), yearly: false }],
  };
}

const FREQUENCIES: ReadonlySet<string> = new Set(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']);
const RULE_PARTS: ReadonlySet<string> = new Set([
  'freq',
  'interval',
  'count',
  'until',
  'wkst',
  'bymonth',
  'bymonthday',
  'byday',
  'bysetpos',
]);

/** The library takes parts it does not know for none; what holidays do not need is not tried. */
function isSupported(component: ICAL.Component): boolean {
  const rules = component.getAllProperties('rrule');
  return (
    rules.length <= 1 &&
    rules.every((rule) => {
      const parts = (rule.toJSON() as unknown[])[3] as Record<string, unknown>;
      return Object.keys(parts).every((part) => RULE_PARTS.has(part)) && FREQUENCIES.has(recurrenceOf(rule).freq);
    })
  );
}

/** Every year on the month and day of its start, for ever and without exceptions. */
function isYearlyByDate(component: ICAL.Component, event: ICAL.Event): boolean {
  const rule = component.getFirstProperty('rrule');
  if (rule === null || component.hasProperty('rdate') || component.hasProperty('exdate')) return false;
  if (Object.keys(event.exceptions).length > 0) return false;
  const { freq, interval, count, until, parts } = recurrenceOf(rule);
  const date: Record<string, number> = { BYMONTH: event.startDate.month, BYMONTHDAY: event.startDate.day };
  return (
    freq === 'YEARLY' &&
    interval === 1 &&
    !count &&
    !until &&
    Object.entries(parts).every(([part, values]) => values.length === 1 && date[part] === values[0])
  );
}

/** Some calendars begin what has always been in 1601 or 1604: the leap years come again every 400 years. */
function yearly(closures: readonly Closure[]): Outcome {
  const lasts = ({ fromDate, toDate }: Closure): number => (utcMidnight(toDate) - utcMidnight(fromDate)) / DAY_MS + 1;
  if (closures.some((each) => lasts(each) > MAX_YEARLY_DAYS)) return { reason: 'too_long' };
  const inOurs = (date: string): string =>
    date < FIRST_YEAR ? inOurs(isoDateOf(yearsLater(utcMidnight(date), 400))) : date;
  return {
    closures: closures.map((each) => {
      const fromDate = inOurs(each.fromDate);
      return { ...each, fromDate, toDate: addDays(fromDate, lasts(each) - 1), yearly: true };
    }),
  };
}

function datesOf(component: ICAL.Component, event: ICAL.Event, within: DateRange): Outcome {
  const rule = component.getFirstProperty('rrule');
  const months = rule === null ? undefined : recurrenceOf(rule).parts['BYMONTH'];
  const closures: Closure[] = [];
  const dates = event.iterator();
  // Without a rule the library leaves out the first date, which counts (RFC 5545 §3.8.5.2).
  let date = rule === null && !isExcluded(component, event.startDate) ? event.startDate : nextOf(dates);
  for (; date !== undefined && date.toString() <= within.to; date = nextOf(dates)) {
    // The library makes 2 March of 30 February here too.
    if (months?.includes(date.month) === false) return { reason: 'recurrence_not_supported' };
    const { startDate, endDate, item } = event.getOccurrenceDetails(date) as Occurrence;
    const outcome = isCancelled(item.component) ? { closures: [] } : closureOf(startDate, endDate, item.summary);
    // A date that alone has got a time of day is not closed; the others are.
    if ('reason' in outcome && outcome.reason === 'not_all_day' && isChange(item.component)) continue;
    if ('reason' in outcome) return outcome;
    closures.push(...outcome.closures.filter(({ toDate }) => toDate >= within.from));
    if (closures.length > MAX_CLOSURES) return { reason: 'too_many_dates' };
  }
  return closures.length === 0 ? { reason: 'over' } : { closures };
}

function isExcluded(component: ICAL.Component, date: ICAL.Time): boolean {
  const excluded = component.getAllProperties('exdate').flatMap((property) => property.getValues() as unknown[]);
  return excluded.some((each) => String(each) === date.toString());
}

interface Occurrence {
  readonly startDate: ICAL.Time;
  readonly endDate: ICAL.Time;
  readonly item: Pick<ICAL.Event, 'summary' | 'component'>;
}

/** The library's types know of no end. */
function nextOf(dates: { next(): ICAL.Time | null | undefined }): ICAL.Time | undefined {
  return dates.next() ?? undefined;
}

/** A rule that is never met, such as daily but on 30 February, has the library look for ever: the engine stops it. */
function withinBudget(work: () => Outcome): Outcome {
  try {
    return runInNewContext('work()', { work }, { timeout: EVENT_BUDGET }) as Outcome;
  } catch {
    return { reason: 'recurrence_not_supported' };
  }
}

interface Recurrence {
  readonly freq: string;
  readonly interval: number;
  readonly count: number | null;
  readonly until: unknown;
  readonly parts: Readonly<Record<string, readonly unknown[]>>;
}

function recurrenceOf(rule: ICAL.Property): Recurrence {
  return rule.getFirstValue() as unknown as Recurrence;
}

function isCancelled(component: ICAL.Component): boolean {
  return textOf(component, 'status')?.toUpperCase() === 'CANCELLED';
}

/** What stands in the file, before the library has made something of it. */
function textIn(property: ICAL.Property): unknown {
  return (property.toJSON() as unknown[])[3];
}

function textOf(component: ICAL.Component, name: string): string | undefined {
  const value = component.getFirstPropertyValue(name) as unknown;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Cut between characters: half of a surrogate pair is none. */
function nameOf(summary: string | null): string {
  return (
    Array.from(plainText(summary ?? ''))
      .slice(0, MAX_NAME)
      .join('')
      .trimEnd() || 'Closed'
  );
}
