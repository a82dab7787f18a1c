import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ClinicRow } from '../../db/clinics.ts';
import { addDays, localDate } from '../../domain/time-zone.ts';
import type { ForeignFiles } from '../../integrations/foreign-files.ts';
import { HOLIDAYS, type HolidayCalendar } from '../../integrations/icalendar/read-holidays.ts';
import type { Caller } from '../authentication.ts';
import { textOf } from '../bodies.ts';

/* Calendar files as they are sent: what a request may hold, and what is read from it. */

/** More than any year of holidays, and far less than what could hurt. Bytes. */
export const CALENDAR_LIMIT = 512 * 1_024;

export const CalendarBody = Type.String({
  description: 'An iCalendar file (RFC 5545) of at most 512 KiB and 1000 events.',
  examples: [
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Holidays//EN',
      'BEGIN:VEVENT',
      'UID:labour-day@holidays.example',
      'DTSTAMP:20250101T000000Z',
      'SUMMARY:Labour Day',
      'DTSTART;VALUE=DATE:20250501',
      'RRULE:FREQ=YEARLY',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ].join('\r\n'),
  ],
});

/** Only these routes take a calendar, and they take nothing else. */
export function takeCalendarsOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('text/calendar', { parseAs: 'buffer' }, (request, body: Buffer, parsed) => {
    parsed(null, textOf(request, body, 'calendar_invalid'));
  });
}

/** Recurrences are looked up for as long as anybody can book, and a year more. */
const DAYS_BEYOND_HORIZON = 365;

/**
 * The holidays of a file from today on.
 * @throws AppError `calendar_invalid`, `file_too_costly`, `rate_limited`
 */
export function holidaysOf(
  files: ForeignFiles,
  { subject }: Caller,
  clinic: ClinicRow,
  file: string,
  now: Date,
): Promise<HolidayCalendar> {
  const from = localDate(clinic.time_zone, now.getTime());
  const to = addDays(from, clinic.policy.bookingHorizonDays + DAYS_BEYOND_HORIZON);
  return files.read(subject, HOLIDAYS, file, { from, to }, clinic.time_zone);
}
