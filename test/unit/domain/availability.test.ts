import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BusyTime } from '../../../src/domain/availability/judge.ts';
import type { DateOverride, ProviderSchedule } from '../../../src/domain/availability/schedule.ts';
import type { SlotSearch } from '../../../src/domain/availability/search.ts';
import { explainAvailability } from '../../../src/domain/availability/explain.ts';
import { judgeSlot } from '../../../src/domain/availability/judge.ts';
import { openWindows } from '../../../src/domain/availability/schedule.ts';
import {
  availableSlots,
  availableSlotsInRange,
  busyRange,
  visitWithin,
} from '../../../src/domain/availability/search.ts';
import type { Interval } from '../../../src/domain/interval.ts';
import { overlaps } from '../../../src/domain/interval.ts';
import { addDays, dayBounds, localDate, localTime, zonedInstant } from '../../../src/domain/time-zone.ts';
import { anySearch, isBookableByHand, schedule } from './schedules.ts';
import { changesOf, ZONES } from './zones.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
// A Monday in Berlin, and a moment some days before it.
const MONDAY = '2026-06-15';
const NOW = Date.parse('2026-06-10T08:00:00Z');

function at(time: string, date = MONDAY, zone = 'Europe/Berlin'): number {
  return zonedInstant(zone, date, time);
}

function between(start: string, end: string, date = MONDAY): Interval {
  return { from: at(start, date), to: at(end, date) };
}

function busy(start: string, end: string, purpose: BusyTime['purpose'] = 'APPOINTMENT'): BusyTime {
  return { ...between(start, end), purpose };
}

function search(changes: Partial<SlotSearch> = {}): SlotSearch {
  return { schedule: schedule(), date: MONDAY, durationMinutes: 30, now: NOW, busy: [], ...changes };
}

function everyDay(changes: Parameters<typeof schedule>[0] = {}): ProviderSchedule {
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, startTime: '09:00', endTime: '17:00' }));
  return schedule({ weekly, breaks: [], ...changes });
}

function starts(asked: SlotSearch): string[] {
  return availableSlots(asked).slots.map((slot) => localTime(asked.schedule.timeZone, slot.from));
}

function verdict(asked: SlotSearch, from: number): string {
  const judged = judgeSlot({ ...asked, from });
  return judged.ok ? 'ok' : judged.code;
}

describe('the windows in which a provider is open', () => {
  it('are the weekly hours without breaks', () => {
    expect(openWindows(schedule(), MONDAY)).toEqual([between('09:00', '12:00'), between('13:00', '17:00')]);
    expect(openWindows(schedule(), '2026-06-14')).toEqual([]);
  });

  it('become one where two windows touch', () => {
    const weekly = [
      { dayOfWeek: 1, startTime: '13:00:00', endTime: '17:00:00' },
      { dayOfWeek: 1, startTime: '09:00:00', endTime: '13:00:00' },
    ];
    expect(openWindows(schedule({ weekly, breaks: [] }), MONDAY)).toEqual([between('09:00', '17:00')]);
  });

  it('are those of the override on its date, the breaks staying', () => {
    const overrides = [
      { date: MONDAY, startTime: '08:00', endTime: '10:00' },
      { date: MONDAY, startTime: '11:00', endTime: '14:00' },
    ];
    expect(openWindows(schedule({ overrides }), MONDAY)).toEqual([
      between('08:00', '10:00'),
      between('11:00', '12:00'),
      between('13:00', '14:00'),
    ]);
    expect(openWindows(schedule({ overrides }), addDays(MONDAY, 1))).toHaveLength(2);
  });

  it('are those of the override from midnight on, whatever reaches into its date from the evening before', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '21:00', endTime: '03:00' }];
    const tuesday = addDays(MONDAY, 1);
    const open = (overrides: DateOverride[]) => openWindows(schedule({ weekly, breaks: [], overrides }), tuesday);
    expect(open([])).toEqual([{ from: at('21:00'), to: at('03:00', tuesday) }]);
    expect(open([{ date: tuesday }])).toEqual([]);
    expect(open([{ date: tuesday, startTime: '02:00', endTime: '05:00' }])).toEqual([
      { from: at('02:00', tuesday), to: at('05:00', tuesday) },
    ]);
    expect(open([{ date: MONDAY, startTime: '22:00', endTime: '01:00' }, { date: tuesday }])).toEqual([]);
    expect(open([{ date: MONDAY, startTime: '22:00', endTime: '01:00' }])).toEqual([
      { from: at('22:00'), to: at('01:00', tuesday) },
    ]);
  });

  it('are none on a date whose override has no times, whatever else is said of it', () => {
    const overrides = [{ date: MONDAY, startTime: '08:00', endTime: '10:00' }, { date: MONDAY }];
    expect(openWindows(schedule({ overrides }), MONDAY)).toEqual([]);
  });

  it('stop for the closures of the clinic and the time off of the provider', () => {
    const closures = [{ fromDate: '2026-06-13', toDate: MONDAY, name: 'Holiday', yearly: false }];
    expect(openWindows(schedule({ closures }), MONDAY)).toEqual([]);
    expect(openWindows(schedule({ closures }), addDays(MONDAY, 1))).toHaveLength(2);
    const timeOff = [between('10:00', '16:00')];
    expect(openWindows(schedule({ timeOff }), MONDAY)).toEqual([between('09:00', '10:00'), between('16:00', '17:00')]);
  });

  it('stop for a yearly closure on the same dates of every year from its first on', () => {
    const isClosed = (closure: { fromDate: string; toDate: string }, date: string): boolean =>
      openWindows(everyDay({ closures: [{ ...closure, name: 'Holiday', yearly: true }] }), date).length === 0;
    const christmas = { fromDate: '2025-12-25', toDate: '2025-12-26' };
    for (const date of ['2025-12-25', '2026-12-26', '2031-12-25'])
      expect([date, isClosed(christmas, date)]).toEqual([date, true]);
    for (const date of ['2024-12-25', '2026-12-24', '2026-12-27'])
      expect([date, isClosed(christmas, date)]).toEqual([date, false]);

    const overNewYear = { fromDate: '2025-12-24', toDate: '2026-01-02' };
    for (const date of ['2025-12-24', '2026-01-02', '2026-12-31', '2031-01-01'])
      expect([date, isClosed(overNewYear, date)]).toEqual([date, true]);
    for (const date of ['2025-01-01', '2026-01-03', '2026-12-23', '2031-01-03'])
      expect([date, isClosed(overNewYear, date)]).toEqual([date, false]);
  });

  it('go on in a year that does not have the date of a yearly closure', () => {
    const closed = (fromDate: string, toDate: string, year: number): string[] =>
      ['02-27', '02-28', '02-29', '03-01', '03-02']
        .map((date) => `${year}-${date}`)
        .filter((date) => !date.endsWith('02-29') || year % 4 === 0)
        .filter((date) => {
          const closures = [{ fromDate, toDate, name: 'Holiday', yearly: true }];
          return openWindows(everyDay({ closures }), date).length === 0;
        });
    expect(closed('2024-02-29', '2024-02-29', 2024)).toEqual(['2024-02-29']);
    expect(closed('2024-02-29', '2024-02-29', 2026)).toEqual([]);
    expect(closed('2024-02-29', '2024-02-29', 2028)).toEqual(['2028-02-29']);
    expect(closed('2024-02-28', '2024-02-29', 2026)).toEqual(['2026-02-28']);
    expect(closed('2024-02-29', '2024-03-01', 2026)).toEqual(['2026-03-01']);
    expect(closed('2025-02-28', '2025-02-28', 2028)).toEqual(['2028-02-28']);
    expect(closed('2025-02-28', '2025-03-01', 2028)).toEqual(['2028-02-28', '2028-02-29', '2028-03-01']);
  });

  it('run over midnight when they end at or before their start', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '22:00', endTime: '02:00' }];
    const night = [{ from: at('22:00'), to: at('02:00', addDays(MONDAY, 1)) }];
    expect(openWindows(schedule({ weekly }), MONDAY)).toEqual(night);
    expect(openWindows(schedule({ weekly }), addDays(MONDAY, 1))).toEqual(night);
    const aroundTheClock = [{ dayOfWeek: 1, startTime: '00:00', endTime: '00:00' }];
    expect(openWindows(schedule({ weekly: aroundTheClock, breaks: [] }), MONDAY)).toEqual([
      { from: at('00:00'), to: at('24:00') },
    ]);
  });
});

describe('the longest visit within free time', () => {
  it('starts on the grid, with its buffers inside', () => {
    const rules = schedule({ policy: { bufferBeforeMinutes: 5, bufferAfterMinutes: 10 } });
    expect(visitWithin(rules, between('10:00', '11:00'))).toEqual(between('10:15', '10:50'));
    expect(visitWithin(rules, between('09:55', '10:11'))).toEqual(between('10:00', '10:01'));
    expect(visitWithin(rules, between('09:56', '10:25'))).toBeUndefined();
  });

  it('starts on the grid of the clock that is then on the wall', () => {
    // The clocks go from 02:00 to 03:00 at 01:00 UTC, and 03:00 is on the grid.
    const free = { from: Date.parse('2026-03-29T00:40:00Z'), to: Date.parse('2026-03-29T02:00:00Z') };
    const rules = schedule({ policy: { slotStepMinutes: 90 } });
    expect(visitWithin(rules, free)).toEqual({ from: Date.parse('2026-03-29T01:00:00Z'), to: free.to });
  });
});

describe('a search', () => {
  it('offers every start on the grid at which the visit ends before the window does', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '09:00', endTime: '10:00' }];
    expect(starts(search({ schedule: schedule({ weekly }) }))).toEqual(['09:00', '09:15', '09:30']);
    expect(starts(search({ schedule: schedule({ weekly }), durationMinutes: 60 }))).toEqual(['09:00']);
    expect(starts(search({ schedule: schedule({ weekly }), durationMinutes: 61 }))).toEqual([]);
  });

  it('keeps to the wall clock whatever the window starts with', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '09:10', endTime: '11:00' }];
    const policy = { slotStepMinutes: 20 };
    expect(starts(search({ schedule: schedule({ weekly, policy }) }))).toEqual(['09:20', '09:40', '10:00', '10:20']);
  });

  it('offers the time right before and right after a busy one', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '09:00', endTime: '11:00' }];
    expect(starts(search({ schedule: schedule({ weekly }), busy: [busy('09:30', '10:00')] }))).toEqual([
      '09:00',
      '10:00',
      '10:15',
      '10:30',
    ]);
  });

  it('keeps the buffers free of other reservations, and lets them reach outside the hours', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '09:00', endTime: '11:00' }];
    const policy = { bufferBeforeMinutes: 5, bufferAfterMinutes: 10 };
    const asked = search({ schedule: schedule({ weekly, policy }), busy: [busy('09:55', '10:10')] });
    expect(starts(asked)).toEqual(['09:00', '09:15', '10:15', '10:30']);
    expect(judgeSlot({ ...asked, from: at('10:30') })).toMatchObject({ during: between('10:25', '11:10') });
  });

  it('offers nothing that starts sooner than the notice or later than the horizon', () => {
    const policy = { bookingNoticeMinutes: 120, bookingHorizonDays: 3 };
    const now = at('13:07');
    expect(starts(search({ schedule: schedule({ policy }), now }))[0]).toBe('15:15');
    expect(starts(search({ schedule: schedule({ policy }), now, date: addDays(MONDAY, 3) }))).toHaveLength(26);
    expect(starts(search({ schedule: schedule({ policy }), now, date: addDays(MONDAY, 4) }))).toEqual([]);
  });

  it('offers nothing on a day that is full; times held by the EHR do not count', () => {
    const full = schedule({ maxDailyAppointments: 3 });
    const three = [busy('09:00', '09:30'), busy('10:00', '10:30', 'HOLD'), busy('11:00', '11:30', 'WAITLIST')];
    expect(starts(search({ schedule: full, busy: three }))).toEqual([]);
    expect(starts(search({ schedule: full, busy: three.slice(1) }))).not.toEqual([]);
    const external = [...three.slice(1), busy('13:00', '13:30', 'EXTERNAL')];
    expect(starts(search({ schedule: full, busy: external }))).not.toEqual([]);
    const yesterday: BusyTime = { ...between('09:00', '09:30', addDays(MONDAY, -1)), purpose: 'APPOINTMENT' };
    expect(starts(search({ schedule: full, busy: [...three.slice(1), yesterday] }))).not.toEqual([]);
  });

  it('counts a visit on the day of its own start, whatever buffer lies before midnight', () => {
    const sunday = addDays(MONDAY, -1);
    const everyNight = [1, 7].map((dayOfWeek) => ({ dayOfWeek, startTime: '00:00', endTime: '23:59' }));
    const rules = schedule({
      weekly: everyNight,
      breaks: [],
      maxDailyAppointments: 1,
      policy: { bufferBeforeMinutes: 10, slotStepMinutes: 5 },
    });
    const afterMidnight: BusyTime = {
      from: at('23:55', sunday),
      to: at('00:35'),
      visitFrom: at('00:05'),
      purpose: 'APPOINTMENT',
    };
    const asked = search({ schedule: rules, busy: [afterMidnight], now: at('00:00', addDays(MONDAY, -2)) });
    expect(starts(asked)).toEqual([]);
    expect(starts({ ...asked, date: sunday })).toContain('20:00');
    expect(verdict(asked, at('20:00'))).toBe('day_full');
    expect(verdict(asked, at('20:00', sunday))).toBe('ok');
    // And its own start, with the buffer of the day before, asks for Monday.
    const full = { ...asked, busy: [busy('20:00', '20:30')] };
    expect(verdict(full, at('00:05'))).toBe('day_full');
    expect(
      verdict({ ...asked, busy: [{ ...between('20:00', '20:30', sunday), purpose: 'APPOINTMENT' }] }, at('00:05')),
    ).toBe('ok');
    const removed = (date: string) => explainAvailability({ ...asked, date }).removed.map(({ rule }) => rule);
    expect(removed(MONDAY)).toContain('capacity');
    expect(removed(sunday)).not.toContain('capacity');
  });

  it('offers no start at this very moment, as no door would take it', () => {
    const asked = search({ now: at('09:15') });
    expect(starts(asked)[0]).toBe('09:30');
    expect(verdict(asked, at('09:15'))).toBe('in_the_past');
    expect(verdict({ ...asked, now: at('09:15') - 1 }, at('09:15'))).toBe('ok');
  });

  it('puts a night on the date on which the visit starts', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '23:00', endTime: '01:00' }];
    const night = search({ schedule: schedule({ weekly }) });
    expect(starts(night)).toEqual(['23:00', '23:15', '23:30', '23:45']);
    expect(starts({ ...night, date: addDays(MONDAY, 1) })).toEqual(['00:00', '00:15', '00:30']);
  });

  it('offers nothing for a length that is none', () => {
    for (const durationMinutes of [0, -30, 22.5, 1441, Number.NaN])
      expect(starts(search({ durationMinutes }))).toEqual([]);
  });
});

describe('the judgement of one start', () => {
  const cases: readonly [string, Partial<SlotSearch>, number, string][] = [
    ['a free start', {}, at('09:00'), 'ok'],
    ['no length', { durationMinutes: 0 }, at('09:00'), 'invalid_duration'],
    ['half a minute', { durationMinutes: 30.5 }, at('09:00'), 'invalid_duration'],
    ['more than a day', { durationMinutes: 1_441 }, at('09:00'), 'invalid_duration'],
    ['a start before now', { now: at('09:01') }, at('09:00'), 'in_the_past'],
    [
      'less than the notice',
      { schedule: schedule({ policy: { bookingNoticeMinutes: 60 } }), now: at('08:01') },
      at('09:00'),
      'too_soon',
    ],
    [
      'exactly the notice',
      { schedule: schedule({ policy: { bookingNoticeMinutes: 60 } }), now: at('08:00') },
      at('09:00'),
      'ok',
    ],
    ['beyond the horizon', { schedule: schedule({ policy: { bookingHorizonDays: 4 } }) }, at('09:00'), 'too_far_ahead'],
    ['the last day of the horizon', { schedule: schedule({ policy: { bookingHorizonDays: 5 } }) }, at('09:00'), 'ok'],
    ['before the hours', {}, at('08:45'), 'outside_hours'],
    ['over the end of the hours', {}, at('16:45'), 'outside_hours'],
    ['into a break', {}, at('11:45'), 'outside_hours'],
    ['a Sunday', {}, at('09:00', addDays(MONDAY, -1)), 'outside_hours'],
    [
      'a date on which the provider is closed',
      { schedule: schedule({ overrides: [{ date: MONDAY }] }) },
      at('09:00'),
      'provider_closed',
    ],
    [
      'a holiday of the clinic',
      { schedule: schedule({ closures: [{ fromDate: MONDAY, toDate: MONDAY, name: 'Holiday', yearly: false }] }) },
      at('09:00'),
      'provider_closed',
    ],
    ['time off', { schedule: schedule({ timeOff: [between('09:15', '10:00')] }) }, at('09:00'), 'provider_away'],
    ['a start beside the grid', {}, at('09:05'), 'off_grid'],
    ['a start beside the grid by a millisecond', {}, at('09:15') + 1, 'off_grid'],
    ['a taken time', { busy: [busy('09:15', '09:45', 'HOLD')] }, at('09:00'), 'slot_taken'],
    ['a time that only touches a taken one', { busy: [busy('09:30', '09:45')] }, at('09:00'), 'ok'],
    [
      'a full day',
      { schedule: schedule({ maxDailyAppointments: 1 }), busy: [busy('14:00', '14:30')] },
      at('09:00'),
      'day_full',
    ],
    [
      'a taken time on a full day',
      { schedule: schedule({ maxDailyAppointments: 1 }), busy: [busy('09:00', '09:30')] },
      at('09:00'),
      'slot_taken',
    ],
  ];

  it.each(cases)('of %s', (_what, changes, from, expected) => {
    expect(verdict(search(changes), from)).toBe(expected);
  });

  it('says what to reserve, and which day that counts for', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '00:00', endTime: '04:00' }];
    const policy = { bufferBeforeMinutes: 10, bufferAfterMinutes: 5 };
    const sunday = addDays(MONDAY, -1);
    expect(judgeSlot({ ...search({ schedule: schedule({ weekly, policy }) }), from: at('00:00') })).toEqual({
      ok: true,
      during: { from: at('23:50', sunday), to: at('00:35') },
      day: { date: MONDAY, ...dayBounds('Europe/Berlin', MONDAY) },
      overridden: [],
    });
  });

  it('lets staff set rules aside, and says which of them were in the way', () => {
    const closures = [{ fromDate: MONDAY, toDate: MONDAY, name: 'Holiday', yearly: false }];
    const asked = { ...search({ schedule: schedule({ closures }) }), from: at('18:05') };
    const waived = new Set(['outside_hours', 'provider_closed', 'off_grid', 'day_full', 'too_soon'] as const);
    expect(judgeSlot({ ...asked, waived })).toMatchObject({
      ok: true,
      overridden: ['outside_hours', 'provider_closed', 'off_grid'],
    });
    expect(judgeSlot({ ...asked, waived: new Set(['outside_hours', 'off_grid']) })).toEqual({
      ok: false,
      code: 'provider_closed',
    });
    expect(judgeSlot({ ...asked, waived, busy: [busy('18:00', '18:30')] })).toMatchObject({ code: 'slot_taken' });
    expect(judgeSlot({ ...asked, waived, from: NOW - 60_000 })).toMatchObject({ code: 'in_the_past' });
  });

  it('leaves to the database what needs the reservations, when it is given none', () => {
    const { schedule: rules, durationMinutes, now } = search({ schedule: schedule({ maxDailyAppointments: 0 }) });
    expect(judgeSlot({ schedule: rules, durationMinutes, now, from: at('09:00') })).toMatchObject({ ok: true });
  });
});

describe('an offered slot', () => {
  it('is a bookable slot, and a slot that is not offered is not bookable', () => {
    fc.assert(
      fc.property(anySearch, (asked) => {
        const { from, to } = dayBounds(asked.schedule.timeZone, asked.date);
        const offered = availableSlots(asked).slots.map((slot) => slot.from);
        const judged: number[] = [];
        for (let start = from; start < to; start += 5 * MINUTE) {
          if (judgeSlot({ ...asked, from: start }).ok) judged.push(start);
        }
        expect(offered).toEqual(judged);
      }),
      { numRuns: 150 },
    );
  });

  it('is one that a person would find by hand, and the person finds no other', () => {
    fc.assert(
      fc.property(anySearch, (asked) => {
        const { from, to } = dayBounds(asked.schedule.timeZone, asked.date);
        const byHand: number[] = [];
        for (let start = from; start < to; start += 15 * MINUTE) if (isBookableByHand(asked, start)) byHand.push(start);
        const offered = availableSlots(asked).slots.map((slot) => slot.from);
        expect(offered.filter((start) => (start - from) % (15 * MINUTE) === 0)).toEqual(byHand);
      }),
      { numRuns: 40 },
    );
  });

  it('never meets a busy time with its buffers, lies in an open window and has the length asked for', () => {
    fc.assert(
      fc.property(anySearch, (asked) => {
        const windows = openWindows(asked.schedule, asked.date);
        for (const slot of availableSlots(asked).slots) {
          const judged = judgeSlot({ ...asked, from: slot.from });
          expect(slot.to - slot.from).toBe(asked.durationMinutes * MINUTE);
          expect(windows.some((window) => window.from <= slot.from && slot.to <= window.to)).toBe(true);
          expect(judged.ok && asked.busy.some((each) => overlaps(each, judged.during))).toBe(false);
          expect(localDate(asked.schedule.timeZone, slot.from)).toBe(asked.date);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is offered in a search over many days exactly as on its own day', () => {
    fc.assert(
      fc.property(anySearch, fc.integer({ min: 0, max: 9 }), (asked, days) => {
        const fromDate = addDays(asked.date, -2);
        const dates = Array.from({ length: days + 1 }, (_, index) => addDays(fromDate, index));
        const range = { ...asked, fromDate, toDate: addDays(fromDate, days) };
        expect(availableSlotsInRange(range).slots).toEqual(
          dates.flatMap((date) => availableSlots({ ...asked, date }).slots),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('depends on no reservation outside the range that the search asks for', () => {
    fc.assert(
      fc.property(anySearch, (asked) => {
        const range = busyRange(asked.schedule, asked.date, asked.date, asked.durationMinutes);
        const loaded = asked.busy.filter((each) => overlaps(each, range));
        expect(availableSlots({ ...asked, busy: loaded })).toEqual(availableSlots(asked));
      }),
      { numRuns: 100 },
    );
  });
});

describe('the range of reservations that a search must know', () => {
  it('holds the next day as far as a last visit with its buffer reaches', () => {
    const rules = schedule({ policy: { bufferAfterMinutes: 20 } });
    expect(busyRange(rules, MONDAY, MONDAY, 30)).toEqual({
      from: at('00:00'),
      to: at('00:50', addDays(MONDAY, 1)),
    });
  });

  it('begins with the buffer of the first visit', () => {
    const rules = schedule({ policy: { bufferBeforeMinutes: 10 } });
    expect(busyRange(rules, MONDAY, addDays(MONDAY, 2), 30)).toEqual({
      from: at('23:50', addDays(MONDAY, -1)),
      to: at('00:30', addDays(MONDAY, 3)),
    });
  });
});

describe('on the day of a clock change', () => {
  const aroundTheClock = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
    dayOfWeek,
    startTime: '00:00',
    endTime: '24:00',
  }));
  const officeHours = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, startTime: '09:00', endTime: '17:00' }));
  const everyChange = ZONES.flatMap((zone) => changesOf(zone).map((change) => ({ zone, change })));

  function slotsOn(date: string, timeZone: string, weekly: ProviderSchedule['weekly'], step: number): Interval[] {
    const rules = schedule({ timeZone, weekly, breaks: [], policy: { slotStepMinutes: step } });
    return availableSlots({
      schedule: rules,
      date,
      durationMinutes: step,
      now: zonedInstant(timeZone, addDays(date, -7), '12:00'),
      busy: [],
    }).slots;
  }

  it('slots of a clinic that never closes neither overlap nor leave a gap, in every zone tried', () => {
    expect(everyChange.length).toBeGreaterThan(100);
    for (const { zone, change } of everyChange) {
      const date = localDate(zone, change);
      for (const each of [addDays(date, -1), date, addDays(date, 1)]) {
        const day = dayBounds(zone, each);
        const slots = slotsOn(each, zone, aroundTheClock, 15);
        const gaps = slots.filter((slot, index) => slot.from !== (slots[index - 1]?.to ?? day.from));
        expect([zone, each, gaps, slots.at(-1)?.to]).toEqual([zone, each, [], day.to]);
      }
    }
  });

  it('office hours have the same slots at the same wall-clock times as on any other day, in every zone tried', () => {
    for (const { zone, change } of everyChange) {
      const date = localDate(zone, change);
      for (const step of [15, 20, 45, 60]) {
        const times = (day: string): string[] =>
          slotsOn(day, zone, officeHours, step).map((slot) => localTime(zone, slot.from));
        expect([zone, date, times(date)]).toEqual([zone, date, times(addDays(date, 10))]);
      }
    }
  });

  it('an hour that comes twice is offered twice, a skipped one not at all', () => {
    const hours = (date: string): string[] =>
      slotsOn(date, 'America/New_York', aroundTheClock, 60).map((slot) => localTime('America/New_York', slot.from));
    expect(hours('2026-11-01').slice(0, 4)).toEqual(['00:00', '01:00', '01:00', '02:00']);
    expect(hours('2026-03-08').slice(0, 4)).toEqual(['00:00', '01:00', '03:00', '04:00']);
  });

  it('an edge that is skipped is where the clocks change: no break vanishes, and no window', () => {
    // 02:00 to 03:00 is skipped.
    const sunday = '2026-03-29';
    const window = (startTime: string, endTime: string) => ({ dayOfWeek: 7, startTime, endTime });
    const open = (changes: Parameters<typeof schedule>[0]) =>
      openWindows(schedule({ weekly: [], breaks: [], ...changes }), sunday).map(({ from, to }) => [
        localTime('Europe/Berlin', from),
        localTime('Europe/Berlin', to),
      ]);
    const night = [window('00:00', '06:00')];
    expect(open({ weekly: night, breaks: [window('02:30', '03:15')] })).toEqual([
      ['00:00', '03:00'],
      ['03:15', '06:00'],
    ]);
    expect(open({ weekly: [window('02:45', '03:30')] })).toEqual([['03:00', '03:30']]);
    expect(open({ weekly: [window('00:00', '02:30')] })).toEqual([['00:00', '03:00']]);
    expect(open({ weekly: [window('02:15', '02:45')] })).toEqual([]);
  });

  it('a night over the change is as long as it really is', () => {
    const weekly = [{ dayOfWeek: 6, startTime: '22:00', endTime: '06:00' }];
    const lengthOf = (saturday: string): number[] =>
      openWindows(schedule({ weekly, breaks: [] }), saturday).map((window) => (window.to - window.from) / HOUR);
    expect(lengthOf('2026-03-21')).toEqual([8]);
    expect(lengthOf('2026-03-28')).toEqual([7]);
    expect(lengthOf('2026-10-24')).toEqual([9]);
  });
});

describe('the explanation of a day', () => {
  it('says which rule took which windows', () => {
    const rules = schedule({
      policy: { bufferAfterMinutes: 10, bookingNoticeMinutes: 60 },
      timeOff: [between('16:00', '24:00')],
    });
    const explained = explainAvailability(
      search({
        schedule: rules,
        now: at('08:30'),
        busy: [
          busy('10:00', '10:40'),
          busy('11:00', '11:30', 'HOLD'),
          busy('13:00', '13:30', 'WAITLIST'),
          busy('14:00', '16:00', 'EXTERNAL'),
        ],
      }),
    );
    expect(explained.removed).toEqual([
      { rule: 'hours', windows: [between('00:00', '09:00'), between('17:00', '24:00')] },
      { rule: 'break', windows: [between('12:00', '13:00')] },
      { rule: 'time_off', windows: [between('16:00', '17:00')] },
      { rule: 'notice', windows: [between('09:00', '09:30')] },
      { rule: 'booked', windows: [between('10:00', '10:40')] },
      { rule: 'hold', windows: [between('11:00', '11:30')] },
      { rule: 'waitlist', windows: [between('13:00', '13:30')] },
      { rule: 'ehr', windows: [between('14:00', '16:00')] },
      { rule: 'buffer', windows: [between('09:50', '10:00'), between('10:50', '11:00'), between('13:50', '14:00')] },
      {
        rule: 'duration',
        windows: [between('09:30', '09:50'), between('10:40', '10:50'), between('13:30', '13:50')],
      },
    ]);
    expect(explained.open).toEqual([between('11:30', '12:00')]);
    expect(explained.slots).toEqual([between('11:30', '12:00')]);
  });

  it('names the closure, the horizon and the full day', () => {
    const rulesOf = (rules: ProviderSchedule, asked: Partial<SlotSearch> = {}): string[] =>
      explainAvailability(search({ schedule: rules, ...asked })).removed.map((each) => each.rule);
    const closures = [{ fromDate: MONDAY, toDate: MONDAY, name: 'Holiday', yearly: false }];
    expect(rulesOf(schedule({ closures }))).toEqual(['hours', 'break', 'closure']);
    expect(rulesOf(schedule({ policy: { bookingHorizonDays: 4 } }))).toEqual(['hours', 'break', 'horizon']);
    expect(rulesOf(schedule({ maxDailyAppointments: 1 }), { busy: [busy('09:00', '10:00')] })).toEqual([
      'hours',
      'break',
      'booked',
      'capacity',
    ]);
  });

  it('accounts for every moment of the day once, and its open windows hold the starts of all slots', () => {
    fc.assert(
      fc.property(anySearch, (asked) => {
        const { day, open, removed, slots } = explainAvailability(asked);
        const pieces = [...open, ...removed.flatMap((each) => each.windows)].sort((a, b) => a.from - b.from);
        let reached = day.from;
        for (const piece of pieces) {
          expect(piece.from).toBe(reached);
          expect(piece.to).toBeGreaterThan(piece.from);
          reached = piece.to;
        }
        expect(reached).toBe(day.to);
        for (const slot of slots) {
          expect(open.some((window) => window.from <= slot.from && slot.from < window.to)).toBe(true);
        }
        for (const window of open) {
          expect(slots.some((slot) => window.from <= slot.from && slot.from < window.to)).toBe(true);
        }
        expect(slots).toEqual(availableSlots(asked).slots);
      }),
      { numRuns: 100 },
    );
  });
});
