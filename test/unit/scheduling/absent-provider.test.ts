import { describe, expect, it } from '@jest/globals';
import type { ProviderSchedule } from '../../../src/domain/availability/schedule.ts';
import { zonedInstant } from '../../../src/domain/time-zone.ts';
import { isAbsent } from '../../../src/scheduling/visits/absent-provider.ts';
import { schedule } from '../domain/schedules.ts';

const MONDAY = '2026-06-15';
const TUESDAY = '2026-06-16';
const at = (time: string, date = MONDAY) => zonedInstant('Europe/Berlin', date, time);
const night = { weekly: [{ dayOfWeek: 1, startTime: '21:00', endTime: '03:00' }], breaks: [] };

describe('the provider of a visit is absent', () => {
  const absent = (rules: Partial<ProviderSchedule>, from: number, override_rules: string[] = []) =>
    isAbsent(schedule({ ...rules }), { appointment_time: new Date(from), duration_minutes: 30, override_rules });
  const closure = { fromDate: MONDAY, toDate: MONDAY, name: 'Holiday', yearly: false };
  const away = { timeOff: [{ from: at('10:00'), to: at('11:00') }] };

  it.each<[string, Partial<ProviderSchedule>, number]>([
    ['in time off', away, at('10:00')],
    ['when it touches time off', away, at('09:45')],
    ['in a closure', { closures: [closure] }, at('10:00')],
    ['on a date that an override closes', { overrides: [{ date: MONDAY }] }, at('10:00')],
    [
      'on such a date, in the shift of the evening before',
      { ...night, overrides: [{ date: TUESDAY }] },
      at('01:00', TUESDAY),
    ],
    ['when it reaches into such a date', { ...night, overrides: [{ date: TUESDAY }] }, at('23:45')],
  ])('%s', (_, rules, from) => {
    expect(absent(rules, from)).toBe(true);
  });

  it.each<[string, Partial<ProviderSchedule>, number]>([
    ['in the hours', {}, at('10:00')],
    ['beside time off', away, at('09:30')],
    ['outside the hours', {}, at('18:00')],
    ['in a break', {}, at('12:15')],
    [
      'outside the hours of a date of its own',
      { overrides: [{ date: MONDAY, startTime: '14:00', endTime: '17:00' }] },
      at('10:00'),
    ],
    ['beside a date that is closed', { overrides: [{ date: TUESDAY }] }, at('16:30')],
  ])('but not %s', (_, rules, from) => {
    expect(absent(rules, from)).toBe(false);
  });

  it('but not where staff have booked there on purpose', () => {
    expect(absent(away, at('10:00'), ['provider_away'])).toBe(false);
    expect(absent(away, at('10:00'), ['provider_closed', 'off_grid'])).toBe(true);
    expect(absent({ closures: [closure] }, at('10:00'), ['provider_closed'])).toBe(false);
    expect(absent({ overrides: [{ date: MONDAY }] }, at('10:00'), ['provider_closed'])).toBe(false);
    expect(absent({ ...away, closures: [closure] }, at('10:00'), ['provider_away'])).toBe(true);
  });
});
