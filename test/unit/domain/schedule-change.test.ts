import { describe, expect, it } from '@jest/globals';
import { closedTimes, type Closure } from '../../../src/domain/availability/schedule.ts';
import {
  affectedBy,
  affectedByClosures,
  applyChange,
  reachOf,
  type ScheduleChange,
} from '../../../src/domain/schedule-change.ts';
import { zonedInstant } from '../../../src/domain/time-zone.ts';
import { schedule } from './schedules.ts';

const ZONE = 'Europe/Berlin';
// A Monday on which the provider of these tests works 09:00–17:00 with lunch at noon.
const MONDAY = '2026-06-15';
const TUESDAY = '2026-06-16';
const at = (time: string, date = MONDAY) => zonedInstant(ZONE, date, time);
const visit = (time: string, date = MONDAY) => ({ from: at(time, date), durationMinutes: 30 });

/** The times of the affected visits of Monday, with the rule. */
function affected(change: ScheduleChange, ...times: string[]): string[] {
  const visits = times.map((time) => ({ ...visit(time), time }));
  return affectedBy(schedule(), change, visits).map((each) => `${each.time} ${each.rule}`);
}

describe('a change of a schedule', () => {
  it('affects the visits that lie outside new hours or in new breaks', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '10:00', endTime: '16:00' }];
    const breaks = [{ dayOfWeek: 1, startTime: '14:00', endTime: '14:15' }];
    expect(affected({ kind: 'hours', weekly, breaks }, '09:30', '10:00', '14:00', '14:15', '15:45')).toEqual([
      '09:30 outside_hours',
      '14:00 outside_hours',
      '15:45 outside_hours',
    ]);
  });

  it('affects the visits of an overridden date, and those of a date whose override is cleared', () => {
    const windows = [{ startTime: '09:00', endTime: '10:00' }];
    expect(affected({ kind: 'override', date: MONDAY, windows }, '09:30', '10:00')).toEqual(['10:00 outside_hours']);
    expect(affected({ kind: 'override', date: MONDAY, windows: [] }, '09:30')).toEqual(['09:30 provider_closed']);
    expect(affected({ kind: 'override', date: TUESDAY, windows: [] }, '09:30')).toEqual([]);
    const evening = applyChange(schedule(), {
      kind: 'override',
      date: MONDAY,
      windows: [{ startTime: '09:00', endTime: '20:00' }],
    });
    const cleared = affectedBy(evening, { kind: 'override_cleared', date: MONDAY }, [visit('09:30'), visit('19:00')]);
    expect(cleared).toEqual([{ ...visit('19:00'), rule: 'outside_hours' }]);
  });

  it('replaces an override there was of the date', () => {
    const once = applyChange(schedule(), { kind: 'override', date: MONDAY, windows: [] });
    const windows = [{ startTime: '09:00', endTime: '10:00' }];
    expect(applyChange(once, { kind: 'override', date: MONDAY, windows }).overrides).toEqual([
      { date: MONDAY, startTime: '09:00', endTime: '10:00' },
    ]);
  });

  it('affects the visits that touch time off or a closure', () => {
    const during = { from: at('10:00'), to: at('11:00') };
    expect(affected({ kind: 'time_off', during }, '09:30', '09:45', '10:30', '11:00')).toEqual([
      '09:45 provider_away',
      '10:30 provider_away',
    ]);
    const closure = { fromDate: MONDAY, toDate: MONDAY, name: 'Inventory', yearly: false };
    expect(affected({ kind: 'closures', closures: [closure] }, '09:30')).toEqual(['09:30 provider_closed']);
    const yearly = { ...closure, fromDate: '2020-06-15', toDate: '2020-06-15', yearly: true };
    expect(affected({ kind: 'closures', closures: [yearly] }, '09:30')).toEqual(['09:30 provider_closed']);
  });

  it('is blamed for what it adds only: a visit that staff put outside the hours was outside them before', () => {
    const weekly = [{ dayOfWeek: 1, startTime: '09:00', endTime: '16:00' }];
    expect(affected({ kind: 'hours', weekly, breaks: [] }, '18:00')).toEqual([]);
    const closure = { fromDate: MONDAY, toDate: MONDAY, name: 'Inventory', yearly: false };
    expect(affected({ kind: 'closures', closures: [closure] }, '18:00')).toEqual(['18:00 provider_closed']);
  });
});

describe('a visit that a rule refuses already, with the code of another', () => {
  const closed = { ...schedule(), overrides: [{ date: MONDAY }] };
  const closure = { fromDate: MONDAY, toDate: MONDAY, name: 'Inventory', yearly: false };

  it('is affected: in the break, by hours that leave the day out; on a closed date, by a closure of the clinic', () => {
    const hours = { kind: 'hours', weekly: [], breaks: [] } as const;
    expect(affectedBy(schedule(), hours, [visit('12:15')])).toMatchObject([{ rule: 'outside_hours' }]);
    expect(affectedBy(closed, { kind: 'closures', closures: [closure] }, [visit('09:30')])).toMatchObject([
      { rule: 'provider_closed' },
    ]);
  });

  it('is affected when its date is closed, though it was outside the hours of that date', () => {
    const windows = [{ startTime: '14:00', endTime: '17:00' }];
    const afternoon = applyChange(schedule(), { kind: 'override', date: MONDAY, windows });
    expect(affectedBy(afternoon, { kind: 'override', date: MONDAY, windows: [] }, [visit('09:30')])).toMatchObject([
      { rule: 'provider_closed' },
    ]);
  });

  it('is not affected by a change that only gives time back', () => {
    expect(affectedBy(closed, { kind: 'override_cleared', date: MONDAY }, [visit('20:00')])).toEqual([]);
  });
});

describe('a date with hours of its own', () => {
  const night = schedule({ weekly: [{ dayOfWeek: 1, startTime: '21:00', endTime: '03:00' }], breaks: [] });
  const visits = [visit('23:30'), visit('23:45'), visit('00:00', TUESDAY), visit('02:30', TUESDAY)];
  const rules = (windows: { startTime: string; endTime: string }[], of = night) =>
    affectedBy(of, { kind: 'override', date: TUESDAY, windows }, visits).map(({ from, rule }) => [from, rule]);

  it('closed, counts the visits of the shift that reaches into it, and the one over midnight', () => {
    expect(rules([])).toEqual([
      [at('23:45'), 'provider_closed'],
      [at('00:00', TUESDAY), 'provider_closed'],
      [at('02:30', TUESDAY), 'provider_closed'],
    ]);
  });

  it('counts those of that shift which its own hours leave out', () => {
    expect(rules([{ startTime: '02:00', endTime: '04:00' }])).toEqual([
      [at('23:45'), 'outside_hours'],
      [at('00:00', TUESDAY), 'outside_hours'],
    ]);
    // Hours from midnight on go on from those before it.
    expect(rules([{ startTime: '00:00', endTime: '04:00' }])).toEqual([]);
  });

  it('whose own hours reach into the next is cleared with them', () => {
    const own = applyChange(schedule(), {
      kind: 'override',
      date: MONDAY,
      windows: [{ startTime: '20:00', endTime: '02:00' }],
    });
    expect(affectedBy(own, { kind: 'override_cleared', date: MONDAY }, [visit('01:00', TUESDAY)])).toHaveLength(1);
  });
});

describe('another zone', () => {
  it('affects the visits that are outside the hours on the new wall clock', () => {
    // 09:00 in Berlin is 08:00 in London, 10:00 is 09:00, and 17:30 is 16:30; lunch is an hour later.
    expect(affected({ kind: 'zone', timeZone: 'Europe/London' }, '09:30', '10:00', '13:00', '16:30')).toEqual([
      '09:30 outside_hours',
      '13:00 outside_hours',
    ]);
  });
});

describe('closures of a whole clinic', () => {
  const closure = (fromDate: string, toDate = fromDate, yearly = false) => ({
    fromDate,
    toDate,
    name: 'Closed',
    yearly,
  });
  const closed = (closures: Closure[]) =>
    closedTimes({ timeZone: ZONE, closures }, { from: at('00:00', '2026-06-01'), to: at('00:00', '2027-12-31') });

  it('affect what each provider would say, whatever the clinic was closed on before', () => {
    const before = [
      closure('2026-06-14', MONDAY),
      closure('2020-06-18', '2020-06-18', true),
      closure('2020-12-31', '2021-01-01', true),
    ];
    const added = [closure(TUESDAY), closure('2010-06-17', '2010-06-18', true), closure('2026-12-30', '2027-01-02')];
    const days = [
      MONDAY,
      TUESDAY,
      '2026-06-17',
      '2026-06-18',
      '2026-12-30',
      '2026-12-31',
      '2027-01-01',
      '2027-01-02',
      '2027-01-03',
      '2027-06-17',
    ];
    const visits = days.flatMap((date) => ['00:00', '09:30', '23:45'].map((time) => visit(time, date)));
    const met = visits.filter(({ from }) =>
      closed(added).some((time) => time.from < from + 30 * 60_000 && from < time.to),
    );
    const said = affectedByClosures(met, closed(before));
    expect(said).toEqual(affectedBy(schedule({ closures: before }), { kind: 'closures', closures: added }, visits));
    expect(said.length).toBeGreaterThan(10);
    expect(said.length).toBeLessThan(met.length);
  });
});

describe('the reach of a change', () => {
  it('is no smaller than what it can affect', () => {
    expect(reachOf({ kind: 'zone', timeZone: 'UTC' }, ZONE)).toEqual({ from: -Infinity, to: Infinity });
    const override = reachOf({ kind: 'override', date: MONDAY, windows: [] }, ZONE);
    expect(override.from).toBe(at('00:00'));
    expect(override.to).toBeGreaterThan(at('23:59', TUESDAY));
  });
});
