import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { alongWallClock, seriesStarts, wallClockShift } from '../../../src/domain/series.ts';
import { localDate, localTime, zonedInstant } from '../../../src/domain/time-zone.ts';
import { ZONES } from './zones.ts';

const FROM = Date.UTC(2024, 0, 1);
const TO = Date.UTC(2030, 0, 1);
const aZone = fc.constantFrom(...ZONES);
const anInstant = fc.integer({ min: FROM / 60_000, max: TO / 60_000 }).map((minutes) => minutes * 60_000);
const aRhythm = fc.record({ everyWeeks: fc.integer({ min: 1, max: 52 }), count: fc.integer({ min: 2, max: 26 }) });

const iso = (instant: number): string => new Date(instant).toISOString();

describe('the dates of a series', () => {
  it('are at the same time of day, also across a clock change', () => {
    const first = zonedInstant('Europe/Berlin', '2026-03-16', '09:00');
    expect(seriesStarts('Europe/Berlin', first, { everyWeeks: 1, count: 3 }).map(({ from }) => iso(from))).toEqual([
      '2026-03-16T08:00:00.000Z',
      '2026-03-23T08:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
    ]);
  });

  it('are none where the clocks skip the time', () => {
    const first = zonedInstant('Europe/Berlin', '2026-03-22', '02:30');
    expect(seriesStarts('Europe/Berlin', first, { everyWeeks: 1, count: 3 })).toEqual([
      { from: first, isSkipped: false },
      { from: Date.parse('2026-03-29T01:30:00Z'), isSkipped: true },
      { from: Date.parse('2026-04-05T00:30:00Z'), isSkipped: false },
    ]);
  });

  it('begin with the first as it was given, be it the second time that the clocks show it', () => {
    const second = Date.parse('2026-10-25T01:30:00Z');
    const starts = seriesStarts('Europe/Berlin', second, { everyWeeks: 52, count: 2 });
    expect(starts.map(({ from }) => iso(from))).toEqual(['2026-10-25T01:30:00.000Z', '2027-10-24T00:30:00.000Z']);
  });

  it('agree with Temporal in every zone tried', () => {
    fc.assert(
      fc.property(aZone, anInstant, aRhythm, (zone, first, rhythm) => {
        const wall = Temporal.Instant.fromEpochMilliseconds(first).toZonedDateTimeISO(zone).toPlainDateTime();
        seriesStarts(zone, first, rhythm).forEach(({ from, isSkipped }, index) => {
          if (index === 0) return;
          const meant = wall.add({ weeks: index * rhythm.everyWeeks });
          const real = meant.toZonedDateTime(zone, { disambiguation: 'compatible' });
          expect(from).toBe(real.epochMilliseconds);
          expect(isSkipped).toBe(!real.toPlainDateTime().equals(meant));
        });
      }),
    );
  });

  it('are as many as were asked for, in order, on the same day of the week', () => {
    fc.assert(
      fc.property(aZone, anInstant, aRhythm, (zone, first, rhythm) => {
        const starts = seriesStarts(zone, first, rhythm);
        expect(starts).toHaveLength(rhythm.count);
        const dayOf = (instant: number) => Temporal.PlainDate.from(localDate(zone, instant)).dayOfWeek;
        const days = starts.filter(({ isSkipped }) => !isSkipped).map(({ from }) => dayOf(from));
        expect(new Set(days).size).toBe(1);
        for (const [index, { from }] of starts.entries()) {
          if (index > 0) expect(from).toBeGreaterThan(starts[index - 1]?.from ?? 0);
        }
      }),
    );
  });
});

describe('a move along the wall clock', () => {
  it('takes every visit as many days and as much time of day along, whatever the clocks do in between', () => {
    const berlin = (date: string, time: string) => zonedInstant('Europe/Berlin', date, time);
    const shift = wallClockShift('Europe/Berlin', berlin('2026-03-28', '10:00'), berlin('2026-03-29', '11:30'));
    const { from } = alongWallClock('Europe/Berlin', berlin('2026-10-24', '10:00'), shift);
    expect(`${localDate('Europe/Berlin', from)} ${localTime('Europe/Berlin', from)}`).toBe('2026-10-25 11:30');
  });

  it('comes to where the move itself came, unless the clocks show that time twice', () => {
    fc.assert(
      fc.property(aZone, anInstant, anInstant, (zone, from, to) => {
        const there = alongWallClock(zone, from, wallClockShift(zone, from, to));
        expect(there.isSkipped).toBe(false);
        if (there.from === to) return;
        expect(`${localDate(zone, there.from)} ${localTime(zone, there.from)}`).toBe(
          `${localDate(zone, to)} ${localTime(zone, to)}`,
        );
      }),
    );
  });

  it('of nothing leaves a visit exactly where it is', () => {
    fc.assert(
      fc.property(aZone, anInstant, (zone, from) => {
        expect(alongWallClock(zone, from, 0)).toEqual({ from, isSkipped: false });
      }),
    );
  });
});
