import { describe, expect, it } from '@jest/globals';
import { affectedBy, applyChange, reachOf, type ScheduleChange } from '../../../src/domain/schedule-change.ts';
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

describe('the reach of a change', () => {
  it('is no smaller than what it can affect', () => {
    const closure = { fromDate: MONDAY, toDate: TUESDAY, name: 'Inventory', yearly: false };
    expect(reachOf({ kind: 'closures', closures: [closure] }, ZONE)).toEqual({
      from: at('00:00'),
      to: at('00:00', '2026-06-17'),
    });
    expect(reachOf({ kind: 'closures', closures: [{ ...closure, yearly: true }] }, ZONE).to).toBe(Infinity);
    expect(reachOf({ kind: 'closures', closures: [] }, ZONE)).toEqual({ from: 0, to: 0 });
    const override = reachOf({ kind: 'override', date: MONDAY, windows: [] }, ZONE);
    expect(override.from).toBe(at('00:00'));
    expect(override.to).toBeGreaterThan(at('23:59', TUESDAY));
  });
});
