import { describe, expect, it } from '@jest/globals';
import { readHolidays } from '../../../src/integrations/icalendar/read-holidays.ts';

const WITHIN = { from: '2027-01-01', to: '2028-06-30' };

const calendar = (...events: string[][]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Holidays//EN',
    ...events.flatMap((lines) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');
const event = (...lines: string[]) => ['UID:one', 'SUMMARY:Holiday', ...lines];
const read = (...events: string[][]) => readHolidays(calendar(...events), WITHIN);
/** The closures of the only event as `from..to`, or the reason why there are none. */
const datesOf = (...lines: string[]) => {
  const { events, skipped } = read(event(...lines));
  return skipped[0]?.reason ?? events[0]?.closures.map(({ fromDate, toDate }) => `${fromDate}..${toDate}`);
};

describe('a whole-day event', () => {
  it('is closed from its start until the day before its end', () => {
    expect(read(event('DTSTART;VALUE=DATE:20271224', 'DTEND;VALUE=DATE:20271227'))).toEqual({
      events: [
        {
          uid: 'one',
          closures: [{ fromDate: '2027-12-24', toDate: '2027-12-26', name: 'Holiday', yearly: false }],
        },
      ],
      skipped: [],
    });
  });

  it('without an end, or one on the day of its start, is one day; a length in days is taken', () => {
    expect(datesOf('DTSTART;VALUE=DATE:20270501')).toEqual(['2027-05-01..2027-05-01']);
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DTEND;VALUE=DATE:20270501')).toEqual(['2027-05-01..2027-05-01']);
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DURATION:P2D')).toEqual(['2027-05-01..2027-05-02']);
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DURATION:P1W')).toEqual(['2027-05-01..2027-05-07']);
  });

  it('has a name of one plain line', () => {
    const named = (summary: string) =>
      read(['UID:one', `SUMMARY:${summary}`, 'DTSTART;VALUE=DATE:20270501']).events[0]?.closures[0]?.name;
    expect(named('Labour Day\\, observed\\nBank holiday')).toBe('Labour Day, observed Bank holiday');
    expect(named('x'.repeat(300))).toBe('x'.repeat(100));
    expect(named('')).toBe('Closed');
    expect(named('\u0000Labour\u0085Day\ud83d')).toBe('Labour Day');
    // A name is cut between characters, never within one.
    expect(named(`${'x'.repeat(99)}🎄🎄`)).toBe(`${'x'.repeat(99)}🎄`);
  });

  it('is read whatever the ends of the lines are, from several calendars in one file', () => {
    const file = calendar(event('DTSTART;VALUE=DATE:20270501')) + calendar(['UID:two', 'DTSTART;VALUE=DATE:20270502']);
    const { events } = readHolidays(file.replaceAll('\r\n', '\n'), WITHIN);
    expect(events.map(({ uid }) => uid)).toEqual(['one', 'two']);
  });
});

describe('an event that recurs', () => {
  it('keeps its dates and its years, whatever another event of the file has changed', () => {
    const { events } = read(
      ['UID:holiday', 'SUMMARY:Holiday', 'DTSTART;VALUE=DATE:20270510', 'RRULE:FREQ=WEEKLY;COUNT=2'],
      ['UID:christmas', 'SUMMARY:Christmas', 'DTSTART;VALUE=DATE:20201225', 'RRULE:FREQ=YEARLY'],
      ['UID:inventory', 'SUMMARY:Inventory', 'DTSTART;VALUE=DATE:20270503', 'RRULE:FREQ=WEEKLY;COUNT=2'],
      [
        'UID:inventory',
        'SUMMARY:Inventory',
        'RECURRENCE-ID;VALUE=DATE:20270510',
        'DTSTART;VALUE=DATE:20270512',
        'DTEND;VALUE=DATE:20270513',
      ],
    );
    expect(
      events.map(({ uid, closures }) => [uid, closures.map((each) => each.fromDate), closures[0]?.yearly]),
    ).toEqual([
      ['holiday', ['2027-05-10', '2027-05-17'], false],
      ['christmas', ['2020-12-25'], true],
      ['inventory', ['2027-05-03', '2027-05-12'], false],
    ]);
  });

  it('every year since 1601 begins in a year that the product knows, 29 February included; one that lasts a year does not recur', () => {
    const yearly = (...lines: string[]) => datesOf(...lines, 'RRULE:FREQ=YEARLY');
    expect(yearly('DTSTART;VALUE=DATE:16010501')).toEqual(['2001-05-01..2001-05-01']);
    expect(yearly('DTSTART;VALUE=DATE:16040229', 'DTEND;VALUE=DATE:16040302')).toEqual(['2004-02-29..2004-03-01']);
    expect(yearly('DTSTART;VALUE=DATE:20270101', 'DTEND;VALUE=DATE:20280101')).toEqual(['2027-01-01..2027-12-31']);
    expect(yearly('DTSTART;VALUE=DATE:20270101', 'DTEND;VALUE=DATE:20280102')).toBe('too_long');
    expect(datesOf('DTSTART;VALUE=DATE:30000101')).toBe('not_understood');
  });

  it('every year on its date is one yearly closure', () => {
    for (const rule of ['FREQ=YEARLY', 'FREQ=YEARLY;INTERVAL=1', 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25']) {
      expect(read(event('DTSTART;VALUE=DATE:20201225', `RRULE:${rule}`)).events[0]?.closures).toEqual([
        { fromDate: '2020-12-25', toDate: '2020-12-25', name: 'Holiday', yearly: true },
      ]);
    }
  });

  it('otherwise is closed on the dates it has in the time looked at', () => {
    expect(datesOf('DTSTART;VALUE=DATE:20201126', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH')).toEqual([
      '2027-11-25..2027-11-25',
    ]);
    expect(datesOf('DTSTART;VALUE=DATE:20251225', 'RRULE:FREQ=YEARLY;UNTIL=20271225')).toEqual([
      '2027-12-25..2027-12-25',
    ]);
    expect(datesOf('DTSTART;VALUE=DATE:20270104', 'DTEND;VALUE=DATE:20270106', 'RRULE:FREQ=WEEKLY;COUNT=2')).toEqual([
      '2027-01-04..2027-01-05',
      '2027-01-11..2027-01-12',
    ]);
    expect(datesOf('DTSTART;VALUE=DATE:20270101', 'RDATE;VALUE=DATE:20270301,20290101')).toEqual([
      '2027-01-01..2027-01-01',
      '2027-03-01..2027-03-01',
    ]);
    expect(datesOf('DTSTART;VALUE=DATE:20261225', 'RRULE:FREQ=YEARLY', 'EXDATE;VALUE=DATE:20271225')).toBe('over');
  });

  it('has the dates of its changed recurrences', () => {
    const changed = read(event('DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=MONTHLY;COUNT=3'), [
      'UID:one',
      'SUMMARY:Moved',
      'RECURRENCE-ID;VALUE=DATE:20270201',
      'DTSTART;VALUE=DATE:20270203',
    ]);
    expect(changed.skipped).toEqual([]);
    expect(changed.events[0]?.closures.map(({ fromDate, name }) => [fromDate, name])).toEqual([
      ['2027-01-01', 'Holiday'],
      ['2027-02-03', 'Moved'],
      ['2027-03-01', 'Holiday'],
    ]);
    const orphan = read(['UID:one', 'RECURRENCE-ID;VALUE=DATE:20270201', 'DTSTART;VALUE=DATE:20270203']);
    expect(orphan.events[0]?.closures).toHaveLength(1);
  });

  it('has no date for a recurrence that is cancelled or gets a time of day, and its others all the same', () => {
    const instance = (day: string, ...lines: string[]) => ['UID:one', `RECURRENCE-ID;VALUE=DATE:${day}`, ...lines];
    const changed = read(
      event('DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=MONTHLY;COUNT=4'),
      instance('20270201', 'DTSTART;VALUE=DATE:20270201', 'STATUS:CANCELLED'),
      instance('20270301', 'DTSTART:20270301T090000Z', 'DTEND:20270301T100000Z'),
    );
    expect(changed.skipped).toEqual([]);
    expect(changed.events[0]?.closures.map(({ fromDate }) => fromDate)).toEqual(['2027-01-01', '2027-04-01']);
    const alone = read(instance('20270201', 'DTSTART;VALUE=DATE:20270201', 'STATUS:CANCELLED'));
    // Of the event that recurs the file says nothing.
    expect(alone).toEqual({ events: [], skipped: [{ uid: 'one', reason: 'cancelled' }] });
  });

  it('is named and skipped where its rule is not for holidays, and takes no time', () => {
    const began = performance.now();
    for (const rule of [
      'FREQ=SECONDLY',
      'FREQ=MINUTELY;INTERVAL=1',
      'FREQ=HOURLY',
      'FREQ=YEARLY;BYEASTER=0',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=DAILY;BYDAY=1MO',
      'FREQ=YEARLY;INTERVAL=99999999',
    ]) {
      expect([rule, datesOf('DTSTART;VALUE=DATE:20270101', `RRULE:${rule}`)]).toEqual([
        rule,
        'recurrence_not_supported',
      ]);
    }
    expect(datesOf('DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=DAILY')).toBe('too_many_dates');
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('what makes no closure', () => {
  it('is named with its reason', () => {
    expect(datesOf('DTSTART:20270501T090000Z', 'DTEND:20270501T100000Z')).toBe('not_all_day');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DTEND:20270503T000000Z')).toBe('not_all_day');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DURATION:PT12H')).toBe('not_all_day');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'STATUS:CANCELLED')).toBe('cancelled');
    expect(datesOf('DTSTART;VALUE=DATE:20261231')).toBe('over');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DTEND;VALUE=DATE:20290501')).toBe('too_long');
    expect(datesOf('DTSTART;VALUE=DATE:20270230')).toBe('not_understood');
    expect(datesOf('DTSTART;VALUE=DATE:20271345')).toBe('not_understood');
    expect(datesOf('DTSTART;VALUE=DATE:tomorrow')).toBe('not_understood');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DTEND;VALUE=DATE:20270401')).toBe('not_understood');
    expect(datesOf()).toBe('not_understood');
    expect(
      read(
        ['SUMMARY:Nameless', 'DTSTART;VALUE=DATE:20270501'],
        event('DTSTART;VALUE=DATE:20270501'),
        event('DTSTART;VALUE=DATE:20270601'),
      ),
    ).toEqual({
      events: [{ uid: 'one', closures: [expect.objectContaining({ fromDate: '2027-05-01' })] }],
      skipped: [{ reason: 'no_uid' }, { uid: 'one', reason: 'duplicate' }],
    });
  });

  it('is named without its UID where that is nothing to keep', () => {
    for (const uid of ['a\u0000b', 'a\ud800b', 'x'.repeat(256)]) {
      expect(read([`UID:${uid}`, 'DTSTART;VALUE=DATE:20270501'])).toEqual({
        events: [],
        skipped: [{ reason: 'not_understood' }],
      });
    }
  });

  it('is still an event of the file, of which there is nothing', () => {
    for (const lines of [
      ['DTSTART;VALUE=DATE:20270501', 'STATUS:CANCELLED'],
      ['DTSTART:20270501T090000Z'],
      ['DTSTART;VALUE=DATE:20261231'],
      ['DTSTART;VALUE=DATE:20270501', 'RRULE:FREQ=HOURLY'],
      ['DTSTART;VALUE=DATE:20270230'],
    ]) {
      expect(read(event(...lines)).events).toEqual([{ uid: 'one', closures: [] }]);
    }
  });

  it('is a file that is no calendar, or has too much in it', () => {
    const refused = (text: string) => {
      expect(() => readHolidays(text, WITHIN)).toThrow('calendar_invalid');
    };
    refused('');
    refused('hello');
    refused('<html></html>');
    refused('BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one');
    refused(calendar(event('DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=NOPE')));
    refused('BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n');
    refused(calendar(...Array.from({ length: 1_001 }, (_, index) => [`UID:${String(index)}`])));
    const bomb = ['DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'];
    refused(calendar(...Array.from({ length: 100 }, (_, index) => [`UID:${String(index)}`, ...bomb])));
    expect(readHolidays(calendar(), WITHIN)).toEqual({ events: [], skipped: [] });
  });
});
