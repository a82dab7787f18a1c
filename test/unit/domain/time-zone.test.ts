import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { DAY_MS } from '../../../src/domain/clock.ts';
import {
  addDays,
  dayBounds,
  dayOfWeek,
  isTimeZone,
  localDate,
  localTime,
  minusPeriod,
  offsetAt,
  offsetSpans,
  startOfDay,
  timeOfDay,
  zonedInstant,
} from '../../../src/domain/time-zone.ts';
import { changesOf, ZONES } from './zones.ts';

const instant = (iso: string): number => Date.parse(iso);
const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

describe('a wall-clock time in a zone', () => {
  it('is the instant at which that clock shows it', () => {
    expect(iso(zonedInstant('America/New_York', '2026-01-15', '09:00'))).toBe('2026-01-15T14:00:00.000Z');
    expect(iso(zonedInstant('America/New_York', '2026-07-15', '09:00:00'))).toBe('2026-07-15T13:00:00.000Z');
    expect(iso(zonedInstant('Asia/Kolkata', '2026-07-15', '09:15'))).toBe('2026-07-15T03:45:00.000Z');
  });

  it('that the clocks skip is moved on by the gap', () => {
    expect(iso(zonedInstant('Europe/Berlin', '2026-03-29', '02:30'))).toBe('2026-03-29T01:30:00.000Z');
    expect(iso(zonedInstant('Australia/Lord_Howe', '2026-10-04', '02:15'))).toBe('2026-10-03T15:45:00.000Z');
  });

  it('that comes twice means the first', () => {
    expect(iso(zonedInstant('Europe/Berlin', '2026-10-25', '02:30'))).toBe('2026-10-25T00:30:00.000Z');
    expect(iso(zonedInstant('America/New_York', '2026-11-01', '01:59:59'))).toBe('2026-11-01T05:59:59.000Z');
  });

  it('at 24:00 is the next midnight', () => {
    expect(zonedInstant('Europe/Berlin', '2026-03-29', '24:00')).toBe(startOfDay('Europe/Berlin', '2026-03-30'));
  });

  it('agrees with Temporal in every zone tried, around every clock change from 2024 to 2030', () => {
    const different: string[] = [];
    for (const zone of ZONES) {
      for (const change of changesOf(zone)) {
        const day = Math.floor((change + offsetAt(zone, change - 1)) / DAY_MS) * DAY_MS;
        for (let local = day - DAY_MS / 2; local < day + 1.5 * DAY_MS; local += 15 * 60_000) {
          const wall = iso(local).slice(0, 16);
          const [date = '', time = ''] = wall.split('T');
          const expected = Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).epochMilliseconds;
          if (zonedInstant(zone, date, time) !== expected) different.push(`${zone} ${wall}`);
        }
      }
    }
    expect(different).toEqual([]);
  });

  it('is refused when the date, the time or the zone does not exist', () => {
    expect(() => zonedInstant('Europe/Berlin', '2026-02-30', '09:00')).toThrow(RangeError);
    expect(() => zonedInstant('Europe/Berlin', '26-02-03', '09:00')).toThrow(RangeError);
    expect(() => zonedInstant('Europe/Berlin', '2026-02-03', '24:01')).toThrow(RangeError);
    expect(() => zonedInstant('Europe/Berlin', '2026-02-03', '9:00')).toThrow(RangeError);
    expect(() => zonedInstant('Europe/Bielefeld', '2026-02-03', '09:00')).toThrow(RangeError);
  });
});

describe('an instant in a zone', () => {
  it('has the offset, date and time that Temporal gives it, in every zone tried', () => {
    const range = { min: instant('2024-01-01T00:00:00Z'), max: instant('2031-01-01T00:00:00Z') };
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.integer(range), (zone, at) => {
        const expected = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
        expect(offsetAt(zone, at)).toBe(expected.offsetNanoseconds / 1e6);
        expect(localDate(zone, at)).toBe(expected.toPlainDate().toString());
        expect(localTime(zone, at)).toBe(expected.toPlainTime().toString({ smallestUnit: 'minute' }));
      }),
      { numRuns: 300 },
    );
  });

  it('has the new offset from the very millisecond of a clock change', () => {
    for (const zone of ZONES) {
      for (const change of changesOf(zone)) {
        const [before, after] = [offsetAt(zone, change - 1), offsetAt(zone, change)];
        expect(before).not.toBe(after);
        expect(offsetSpans(zone, change - DAY_MS, change + DAY_MS)).toEqual([
          { from: change - DAY_MS, to: change, offset: before },
          { from: change, to: change + DAY_MS, offset: after },
        ]);
        expect(offsetSpans(zone, change, change + 1)).toEqual([{ from: change, to: change + 1, offset: after }]);
        expect(offsetSpans(zone, change - 1, change)).toEqual([{ from: change - 1, to: change, offset: before }]);
      }
    }
  });
});

describe('a local day', () => {
  it('has 23 or 25 hours when the clocks change', () => {
    const hours = (zone: string, date: string): number => {
      const { from, to } = dayBounds(zone, date);
      return (to - from) / 3_600_000;
    };
    expect(hours('America/New_York', '2026-03-08')).toBe(23);
    expect(hours('America/New_York', '2026-11-01')).toBe(25);
    expect(hours('Australia/Lord_Howe', '2026-10-04')).toBe(23.5);
    expect(hours('America/Phoenix', '2026-03-08')).toBe(24);
  });

  it('starts with the change where the clocks skip midnight', () => {
    expect(iso(startOfDay('Africa/Cairo', '2026-04-24'))).toBe('2026-04-23T22:00:00.000Z');
    expect(localTime('Africa/Cairo', startOfDay('Africa/Cairo', '2026-04-24'))).toBe('01:00');
    // In 1919 Toronto's clocks went from 23:30 to 00:30.
    expect(localTime('America/Toronto', startOfDay('America/Toronto', '1919-03-31'))).toBe('00:30');
  });

  it('is empty where a zone crossed the date line', () => {
    const { from, to } = dayBounds('Pacific/Apia', '2011-12-30');
    expect(from).toBe(to);
    expect(iso(from)).toBe('2011-12-30T10:00:00.000Z');
  });

  it('follows the one before without gap or overlap, and holds the instants of its date', () => {
    for (const zone of ZONES) {
      for (const change of changesOf(zone)) {
        const date = localDate(zone, change);
        for (const each of [addDays(date, -1), date, addDays(date, 1)]) {
          const { from, to } = dayBounds(zone, each);
          expect(from).toBe(
            Temporal.PlainDate.from(each).toZonedDateTime({ timeZone: zone }).startOfDay().epochMilliseconds,
          );
          expect(to).toBe(startOfDay(zone, addDays(each, 1)));
          expect([localDate(zone, from), localDate(zone, to - 1)]).toEqual([each, each]);
          expect(localDate(zone, from - 1)).not.toBe(each);
        }
      }
    }
  });
});

describe('dates', () => {
  it('count on over months and leap years', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
  });

  it('know their weekday, Monday being 1 and Sunday 7', () => {
    expect(dayOfWeek('2026-11-23')).toBe(1);
    expect(dayOfWeek('2026-11-29')).toBe(7);
    expect(dayOfWeek('1969-12-31')).toBe(3);
  });
});

describe('a period before an instant', () => {
  it('keeps the wall clock for days, over a clock change', () => {
    // The clocks go forward on 8 March: three days are 71 hours.
    const visit = zonedInstant('America/New_York', '2026-03-10', '09:00');
    expect(minusPeriod('America/New_York', visit, 'P3D')).toBe(zonedInstant('America/New_York', '2026-03-07', '09:00'));
    expect(visit - minusPeriod('America/New_York', visit, 'P3D')).toBe(71 * 3_600_000);
    expect(minusPeriod('America/New_York', visit, 'P1W')).toBe(zonedInstant('America/New_York', '2026-03-03', '09:00'));
  });

  it('is exact for hours, over a clock change', () => {
    const visit = zonedInstant('America/New_York', '2026-03-08', '03:30');
    expect(visit - minusPeriod('America/New_York', visit, 'PT2H')).toBe(2 * 3_600_000);
    expect(visit - minusPeriod('America/New_York', visit, 'PT72H')).toBe(72 * 3_600_000);
  });

  it('is refused when it is no ISO 8601 period', () => {
    expect(() => minusPeriod('UTC', 0, '3 days')).toThrow(RangeError);
  });
});

describe('names and times of day', () => {
  it('tell IANA zones from anything else', () => {
    expect(['Europe/Berlin', 'Asia/Kolkata', 'UTC'].every(isTimeZone)).toBe(true);
    expect(['', '+01:00', 'Mars/Olympus', 'Europe/Berlin; DROP TABLE'].some(isTimeZone)).toBe(false);
  });

  it('are counted from midnight', () => {
    expect(timeOfDay('00:00')).toBe(0);
    expect(timeOfDay('09:30:15')).toBe(34_215_000);
    expect(timeOfDay('24:00:00')).toBe(DAY_MS);
    for (const wrong of ['', '9', '09:60', '25:00', '09:30Z', '24:00:01'])
      expect(() => timeOfDay(wrong)).toThrow(RangeError);
  });
});
