import { DAY_MS } from '../../domain/clock.ts';
import { yearOf } from '../../domain/time-zone.ts';
import type { Component, Property } from './components.ts';
import { asEnd, durationOf, nearestDay, writtenDate, type WrittenDate } from './written-date.ts';

/* An event as whole days. Days are in the form of `utcMidnight`. */

const MAX_DAYS = 366;
/** Dates until then are dates everywhere in the product. */
const LAST_YEAR = 2999;

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

/** Why an event, or a changed date of one, makes no closure. */
export class Skip extends Error {
  readonly reason: SkipReason;

  constructor(reason: SkipReason) {
    super(reason);
    this.reason = reason;
  }
}

export interface WholeDays {
  readonly first: number;
  readonly days: number;
}

/**
 * The days on which an event is: dates, midnight to midnight where it is meant, or whatever its program says is a whole day.
 * @param zone - the clinic's
 * @throws Skip
 */
export function wholeDaysOf(component: Component, zone: string): WholeDays {
  const isFlagged = ['X-MICROSOFT-CDO-ALLDAYEVENT', 'X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT'].some(
    (name) => propertyOf(component, name)?.value.toUpperCase() === 'TRUE',
  );
  const dateOf = (property: Property): WrittenDate => {
    const date = writtenDate(property.value, property, zone) ?? skip('not_understood');
    return isFlagged ? nearestDay(date) : date;
  };
  const start = dateOf(propertyOf(component, 'DTSTART') ?? skip('not_understood'));
  const end = propertyOf(component, 'DTEND');
  const days = end === undefined ? daysOfLength(component, start) : daysUntil(start, asEnd(dateOf(end)));
  return checked(start, days);
}

/** A date beside the event's own: as long as the event, or as the period that it is (RFC 5545 §3.8.5.2). @throws Skip */
export function extraDay(value: string, property: Property, zone: string, days: number): WholeDays {
  const [from = '', until] = value.split('/', 2);
  const start = writtenDate(from, property, zone) ?? skip('not_understood');
  if (until === undefined) return checked(start, days);
  const length = durationOf(until);
  if (length !== undefined) return checked(start, inDays(length));
  return checked(start, daysUntil(start, asEnd(writtenDate(until, property, zone) ?? skip('not_understood'))));
}

/** The property that counts of several. @throws Skip when its line cannot be read */
export function propertyOf(component: Component, name: string): Property | undefined {
  const properties = component.properties.get(name);
  return properties === undefined ? undefined : (properties[0] ?? skip('not_understood'));
}

export function skip(reason: SkipReason): never {
  throw new Skip(reason);
}

function daysOfLength(component: Component, start: WrittenDate): number {
  const length = propertyOf(component, 'DURATION');
  // A time of day without an end is a moment (RFC 5545 §3.6.1).
  if (length === undefined) return start.time === undefined ? 1 : skip('not_all_day');
  return inDays(durationOf(length.value) ?? skip('not_understood'));
}

function inDays(length: number): number {
  if (length > MAX_DAYS * DAY_MS) skip('too_long');
  return length % DAY_MS === 0 ? Math.max(length / DAY_MS, 1) : skip('not_all_day');
}

function daysUntil(start: WrittenDate, end: WrittenDate): number {
  const days = (end.midnight - start.midnight) / DAY_MS;
  if (days < 0) skip('not_understood');
  if (end.time !== undefined && end.time !== 0) skip('not_all_day');
  if (days > 0) return days;
  // An end on the day of the start says nothing (§3.6.1 forbids it), and often means that day.
  return start.time === undefined ? 1 : skip('not_all_day');
}

function checked({ midnight, time }: WrittenDate, days: number): WholeDays {
  if (time !== undefined && time !== 0) skip('not_all_day');
  if (days > MAX_DAYS) skip('too_long');
  return yearOf(midnight + days * DAY_MS) > LAST_YEAR ? skip('not_understood') : { first: midnight, days };
}
