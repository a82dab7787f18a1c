import ICAL from 'ical.js';
import { plainText } from './plain-text.ts';

/** A visit as a calendar shows it. Nothing of why the patient comes. */
export interface CalendarVisit {
  /** The same for as long as the visit exists: a calendar that reads a newer file replaces what it has. */
  readonly uid: string;
  /** How often it has changed. */
  readonly sequence: number;
  readonly changedAt: Date;
  readonly from: Date;
  readonly to: Date;
  readonly status: 'CONFIRMED' | 'CANCELLED';
  readonly summary: string;
  readonly location: string;
}

/** A calendar file (RFC 5545) with one event, in UTC. The library escapes and folds. */
export function writeVisit(visit: CalendarVisit): string {
  const event = new ICAL.Component('vevent');
  event.addPropertyWithValue('uid', visit.uid);
  event.addPropertyWithValue('sequence', visit.sequence);
  event.addPropertyWithValue('dtstamp', utc(visit.changedAt));
  event.addPropertyWithValue('dtstart', utc(visit.from));
  event.addPropertyWithValue('dtend', utc(visit.to));
  event.addPropertyWithValue('summary', plainText(visit.summary));
  event.addPropertyWithValue('location', plainText(visit.location));
  event.addPropertyWithValue('status', visit.status);
  const calendar = new ICAL.Component('vcalendar');
  calendar.addPropertyWithValue('version', '2.0');
  calendar.addPropertyWithValue('prodid', '-//MediConnect//Appointments//EN');
  calendar.addSubcomponent(event);
  return `${calendar.toString()}\r\n`;
}

function utc(instant: Date): ICAL.Time {
  return ICAL.Time.fromJSDate(instant, true);
}
