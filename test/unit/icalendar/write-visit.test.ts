import { describe, expect, it } from '@jest/globals';
import { writeVisit } from '../../../src/integrations/icalendar/write-visit.ts';

const VISIT = {
  uid: '01980000-0000-7000-8000-00000000a001',
  sequence: 2,
  changedAt: new Date('2027-01-02T03:04:05.678Z'),
  from: new Date('2027-03-15T10:00:00Z'),
  to: new Date('2027-03-15T10:30:00Z'),
  status: 'CONFIRMED',
  summary: 'Appointment',
  location: 'Riverside Clinic',
} as const;

describe('the calendar file of a visit', () => {
  it('is one event in UTC', () => {
    expect(writeVisit(VISIT).split('\r\n')).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//MediConnect//Appointments//EN',
      'BEGIN:VEVENT',
      'UID:01980000-0000-7000-8000-00000000a001',
      'SEQUENCE:2',
      'DTSTAMP:20270102T030405Z',
      'DTSTART:20270315T100000Z',
      'DTEND:20270315T103000Z',
      'SUMMARY:Appointment',
      'LOCATION:Riverside Clinic',
      'STATUS:CONFIRMED',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ]);
  });

  it('escapes what would end a line or begin another property, and folds long lines', () => {
    const lines = writeVisit({ ...VISIT, location: 'A, B; C\r\nSTATUS:CANCELLED\\ D' }).split('\r\n');
    expect(lines).toContain('LOCATION:A\\, B\\; C STATUS:CANCELLED\\\\ D');
    const long = writeVisit({ ...VISIT, location: 'Größe '.repeat(40) }).split('\r\n');
    expect(Math.max(...long.map((line) => Buffer.byteLength(line)))).toBeLessThan(80);
  });
});
