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
const read = (...events: string[][]) => readHolidays(calendar(...events), WITHIN, 'Europe/Berlin');
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
    const { events } = readHolidays(file.replaceAll('\r\n', '\n'), WITHIN, 'Europe/Berlin');
    expect(events.map(({ uid }) => uid)).toEqual(['one', 'two']);
  });
});

describe('a whole day', () => {
  it('is eight digits, whatever else the line says', () => {
    for (const start of [
      'DTSTART:20270326',
      'DTSTART;TZID=Europe/Berlin:20270326',
      'dtstart;value="DATE":20270326',
      'DTSTART;VALUE=DATE-TIME:20270326',
      'DTSTART;VALUE=DATE:20270326T000000',
    ]) {
      expect([start, datesOf(start)]).toEqual([start, ['2027-03-26..2027-03-26']]);
    }
  });

  it('is midnight to midnight on the clock that is written, or on that of the clinic', () => {
    for (const [start, end] of [
      ['DTSTART:20270326T000000', 'DTEND:20270328T000000'],
      ['DTSTART;TZID=Europe/Berlin:20270326T000000', 'DTEND;TZID=Europe/Berlin:20270328T000000'],
      ['DTSTART;TZID=Pacific Standard Time:20270326T000000', 'DTEND;TZID=Pacific Standard Time:20270328T000000'],
      ['DTSTART:20270326T000000Z', 'DTEND:20270328T000000Z'],
      // The night to the 28th has 23 hours in Berlin: midnight is 23:00 before and 22:00 after it.
      ['DTSTART:20270326T000000', 'DURATION:P2D'],
      ['DTSTART:20270326T000000', 'DURATION:PT48H'],
      ['DTSTART:20270325T230000Z', 'DTEND:20270327T230000Z'],
      ['DTSTART;TZID=UTC:20270325T230000', 'DTEND;TZID=UTC:20270327T230000'],
      ['DTSTART:20270326T000000', 'DTEND:20270327T235959'],
      ['DTSTART:20270326T000000Z', 'DTEND:20270327T235900Z'],
      ['DTSTART;VALUE=DATE:20270326', 'DTEND:20270328T000000Z'],
    ] as const) {
      expect([start, end, datesOf(start, end)]).toEqual([start, end, ['2027-03-26..2027-03-27']]);
    }
    expect(datesOf('DTSTART:20270327T230000Z', 'DTEND:20270328T220000Z')).toEqual(['2027-03-28..2027-03-28']);
  });

  it('is what its program calls one, on the nearest days', () => {
    const flag = 'X-MICROSOFT-CDO-ALLDAYEVENT:TRUE';
    expect(datesOf('DTSTART:20270326T050000Z', 'DTEND:20270327T050000Z', flag)).toEqual(['2027-03-26..2027-03-26']);
    expect(datesOf('DTSTART:20270325T210000Z', 'DTEND:20270326T210000Z', flag)).toEqual(['2027-03-26..2027-03-26']);
    expect(datesOf('DTSTART:20270326T000000', 'DTEND:20270326T000000', flag)).toEqual(['2027-03-26..2027-03-26']);
    expect(datesOf('DTSTART:20270326T050000Z', 'DTEND:20270327T050000Z', flag.replace('TRUE', 'FALSE'))).toBe(
      'not_all_day',
    );
  });
});

describe('a file', () => {
  const file = (...lines: string[]) =>
    readHolidays(['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR'].join('\r\n'), WITHIN, 'Europe/Berlin');
  const closed = ({ events }: ReturnType<typeof file>) =>
    events.flatMap(({ closures }) => closures.map((each) => [each.fromDate, each.name]));

  it('may hold what is no event, lines that nobody can read, and texts that were folded', () => {
    const read = file(
      'METHOD:PUBLISH',
      'X-WR-CALNAME;VALUE=TEXT:Holidays',
      'no colon at all',
      'BEGIN:VTIMEZONE',
      'TZID:Berlin',
      'BEGIN:STANDARD',
      'DTSTART:19701025T030000',
      'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
      'END:STANDARD',
      'END:VTIMEZONE',
      'BEGIN:VTODO',
      'UID:todo',
      'DTSTART;VALUE=DATE:20270502',
      'END:VTODO',
      'BEGIN:VJOURNAL',
      'UID:journal',
      'DTSTART;VALUE=DATE:20270503',
      'END:VJOURNAL',
      'begin:vevent',
      'UID:fold',
      ' ed',
      'CLASS;BROKEN="PUBLIC',
      'ATTENDEE;;:?',
      'GEO:here',
      'SUMMARY;LANGUAGE=en:Labour ',
      '\tDay\\, obser',
      ' ved',
      'DTSTART;VALUE=DA',
      ' TE:20270501',
      'TRANSP:TRANSPARENT',
      'BEGIN:VALARM',
      'TRIGGER:-PT15M',
      'DURATION:PT5M',
      'END:VALARM',
      'end:vevent',
    );
    expect(closed(read)).toEqual([['2027-05-01', 'Labour Day, observed']]);
    expect(read.skipped).toEqual([]);
    expect(read.events[0]?.uid).toBe('folded');
  });

  it('may begin with a byte order mark and end its lines in any way', () => {
    const text = calendar(event('DTSTART;VALUE=DATE:20270501'));
    for (const end of ['\r\n', '\n', '\r', '\r\r\n']) {
      const read = readHolidays(`\ufeff${text.replaceAll('\r\n', end)}`, WITHIN, 'Europe/Berlin');
      expect([end, closed(read)]).toEqual([end, [['2027-05-01', 'Holiday']]]);
    }
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

  it('is named and skipped where its rule is not for holidays, cannot be read or is never met', () => {
    for (const rule of [
      'FREQ=SECONDLY',
      'FREQ=MINUTELY;INTERVAL=1',
      'FREQ=HOURLY',
      'FREQ=NOPE',
      'FREQ=YEARLY;BYEASTER=0',
      'FREQ=YEARLY;INTERVAL=0',
      'FREQ=YEARLY;COUNT=many',
      'FREQ=YEARLY;UNTIL=later',
      'FREQ=YEARLY;BYMONTH=13',
      'FREQ=YEARLY;FREQ=DAILY',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=DAILY;BYDAY=1MO',
      'FREQ=WEEKLY;BYMONTHDAY=1',
    ]) {
      expect([rule, datesOf('DTSTART;VALUE=DATE:20270101', `RRULE:${rule}`)]).toEqual([
        rule,
        'recurrence_not_supported',
      ]);
    }
    expect(datesOf('DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=DAILY')).toBe('too_many_dates');
    expect(datesOf('DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=YEARLY;INTERVAL=99999999')).toEqual([
      '2027-01-01..2027-01-01',
    ]);
  });

  it('does not recur on the dates that are taken out, however they are written', () => {
    const left = (...lines: string[]) => datesOf('DTSTART;VALUE=DATE:20270405', 'RRULE:FREQ=WEEKLY;COUNT=3', ...lines);
    for (const exception of [
      'EXDATE;VALUE=DATE:20270412',
      'EXDATE:20270412',
      'EXDATE:20270412T000000',
      'EXDATE:20270412T000000Z',
      'EXDATE;TZID=America/Los_Angeles:20270412T000000',
      'EXDATE;TZID="Customized Time Zone":20270412T000000',
      // Midnight in Berlin.
      'EXDATE:20270411T220000Z',
      'EXDATE;VALUE=DATE:20270412,20300101',
      'EXRULE:FREQ=MONTHLY;BYMONTHDAY=12',
    ]) {
      expect([exception, left(exception)]).toEqual([exception, ['2027-04-05..2027-04-05', '2027-04-19..2027-04-19']]);
    }
    expect(left('EXDATE:soon')).toBe('not_understood');
    expect(left('EXDATE;TZID="Europe:20270412')).toBe('not_understood');
  });

  it('recurs on dates and periods beside its rule', () => {
    expect(
      datesOf(
        'DTSTART;VALUE=DATE:20270101',
        'DTEND;VALUE=DATE:20270103',
        'RDATE;VALUE=DATE:20270301',
        'RDATE:20270401T000000',
        'RDATE;VALUE=PERIOD:20270501T000000/P1D,20270601T000000/20270604T000000',
      ),
    ).toEqual([
      '2027-01-01..2027-01-02',
      '2027-03-01..2027-03-02',
      '2027-04-01..2027-04-02',
      '2027-05-01..2027-05-01',
      '2027-06-01..2027-06-03',
    ]);
    expect(datesOf('DTSTART;VALUE=DATE:20270101', 'RDATE:20270301T090000')).toBe('not_all_day');
  });

  it('has dates moved into the time looked at, and none that are moved out of it', () => {
    const moved = (from: string, to: string) => [
      'UID:one',
      `RECURRENCE-ID;TZID=Europe/Berlin:${from}T000000`,
      `DTSTART;VALUE=DATE:${to}`,
    ];
    const { events, skipped } = read(
      event('DTSTART;VALUE=DATE:20260105', 'RRULE:FREQ=YEARLY;UNTIL=20280105'),
      moved('20260105', '20270707'),
      moved('20270105', '20261231'),
      ['UID:one', 'RECURRENCE-ID:20280105', 'DTSTART:whenever'],
    );
    expect(events[0]?.closures.map(({ fromDate, name }) => [fromDate, name])).toEqual([['2027-07-07', 'Holiday']]);
    expect(skipped).toEqual([{ uid: 'one', reason: 'not_understood' }]);
    expect(
      read(event('DTSTART;VALUE=DATE:20270105', 'RRULE:FREQ=DAILY;COUNT=3'), [
        'UID:one',
        'RECURRENCE-ID;RANGE=THISANDFUTURE:20270106',
        'DTSTART;VALUE=DATE:20270107',
      ]).skipped,
    ).toEqual([{ uid: 'one', reason: 'recurrence_not_supported' }]);
  });

  it('may be known by its changed dates alone, all of them', () => {
    const date = (day: string) => ['UID:one', `RECURRENCE-ID:${day}`, `DTSTART;VALUE=DATE:${day}`];
    const { events, skipped } = read(date('20270201'), date('20270301'), date('20260101'));
    expect(events[0]?.closures.map(({ fromDate }) => fromDate)).toEqual(['2027-02-01', '2027-03-01']);
    expect(skipped).toEqual([{ uid: 'one', reason: 'over' }]);
  });

  it('costs a number of looks, not of milliseconds: a file with too many is refused every time', () => {
    const far = (index: number) => [
      `UID:${String(index)}`,
      'DTSTART;VALUE=DATE:16010101',
      'RRULE:FREQ=DAILY;COUNT=999999',
    ];
    const file = calendar(...Array.from({ length: 7 }, (_, index) => far(index)));
    for (let time = 0; time < 2; time += 1) {
      expect(() => readHolidays(file, WITHIN, 'Europe/Berlin')).toThrow('file_too_costly');
    }
    const never = (index: number) => [
      `UID:${String(index)}`,
      'DTSTART;VALUE=DATE:20270101',
      'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO',
    ];
    const { skipped } = read(...Array.from({ length: 200 }, (_, index) => never(index)));
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set(['over']));
  });
});

describe('what makes no closure', () => {
  it('is named with its reason', () => {
    expect(datesOf('DTSTART:20270501T090000Z', 'DTEND:20270501T100000Z')).toBe('not_all_day');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DTEND:20270503T090000Z')).toBe('not_all_day');
    expect(datesOf('DTSTART:20270501T000000')).toBe('not_all_day');
    expect(datesOf('DTSTART:20270501T000000', 'DTEND:20270501T000000')).toBe('not_all_day');
    expect(datesOf('DTSTART:20270501T120000', 'DTEND:20270502T120000')).toBe('not_all_day');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DURATION:PT12H')).toBe('not_all_day');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'STATUS:CANCELLED')).toBe('cancelled');
    expect(datesOf('DTSTART;VALUE=DATE:20261231')).toBe('over');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DTEND;VALUE=DATE:20290501')).toBe('too_long');
    for (const length of ['P367D', 'P100000000W', 'P99999999999W', `P${'9'.repeat(400)}D`, 'PT9999999H']) {
      expect([length, datesOf('DTSTART;VALUE=DATE:20270101', `DURATION:${length}`)]).toEqual([length, 'too_long']);
    }
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DURATION:-P1D')).toBe('not_understood');
    expect(datesOf('DTSTART;VALUE=DATE:20270501', 'DURATION:P')).toBe('not_understood');
    expect(datesOf('DTSTART;TZID="x:20270501', 'SUMMARY:y')).toBe('not_understood');
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
      expect(() => readHolidays(text, WITHIN, 'Europe/Berlin')).toThrow('calendar_invalid');
    };
    refused('');
    refused('hello');
    refused('<html></html>');
    refused('BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one');
    refused('BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n');
    refused(calendar(...Array.from({ length: 1_001 }, (_, index) => [`UID:${String(index)}`])));
    expect(readHolidays(calendar(), WITHIN, 'Europe/Berlin')).toEqual({ events: [], skipped: [] });
  });
});
