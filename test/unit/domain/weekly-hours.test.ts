import { describe, expect, it } from '@jest/globals';
import { faultOfHours, overlappingWindow } from '../../../src/domain/weekly-hours.ts';

const on = (dayOfWeek: number, startTime: string, endTime: string) => ({ dayOfWeek, startTime, endTime });

describe('weekly hours', () => {
  it('are right when windows touch, go past midnight or last a whole day', () => {
    expect(faultOfHours([on(1, '09:00', '12:00'), on(1, '12:00', '17:00')], [on(1, '11:00', '13:00')])).toBeUndefined();
    expect(faultOfHours([on(1, '22:00', '06:00'), on(2, '06:00', '08:00')], [on(2, '01:00', '01:30')])).toBeUndefined();
    const always = [1, 2, 3, 4, 5, 6, 7].map((day) => on(day, '00:00', '00:00'));
    expect(faultOfHours(always, [on(7, '23:30', '00:30')])).toBeUndefined();
    expect(faultOfHours([], [])).toBeUndefined();
  });

  it('are wrong where a window overlaps an earlier one, also over midnight and over the end of the week', () => {
    const wrong = (weekly: Parameters<typeof faultOfHours>[0]) => faultOfHours(weekly, []);
    expect(wrong([on(1, '09:00', '12:00'), on(2, '09:00', '12:00'), on(1, '11:00', '13:00')])).toEqual({
      list: 'weekly',
      index: 2,
      rule: 'overlaps',
    });
    expect(wrong([on(1, '22:00', '06:00'), on(2, '05:00', '08:00')])).toMatchObject({ index: 1 });
    expect(wrong([on(7, '22:00', '06:00'), on(1, '05:00', '08:00')])).toMatchObject({ index: 1 });
    expect(wrong([on(1, '05:00', '08:00'), on(7, '22:00', '06:00')])).toMatchObject({ index: 1 });
    expect(wrong([on(3, '09:00', '09:00'), on(4, '08:00', '10:00')])).toMatchObject({ index: 1 });
    expect(wrong([on(3, '09:00', '10:00'), on(3, '09:00', '10:00')])).toMatchObject({ index: 1 });
  });

  it('are wrong where a break is not within them, or overlaps another break', () => {
    const weekly = [on(1, '09:00', '17:00'), on(7, '20:00', '02:00')];
    expect(faultOfHours(weekly, [on(1, '12:00', '13:00'), on(2, '12:00', '13:00')])).toEqual({
      list: 'breaks',
      index: 1,
      rule: 'outside_hours',
    });
    expect(faultOfHours(weekly, [on(1, '16:30', '17:30')])).toMatchObject({ rule: 'outside_hours' });
    expect(faultOfHours(weekly, [on(1, '01:00', '01:30')])).toBeUndefined();
    expect(faultOfHours(weekly, [on(1, '12:00', '13:00'), on(1, '12:30', '13:30')])).toEqual({
      list: 'breaks',
      index: 1,
      rule: 'overlaps',
    });
  });
});

describe('the windows of one date', () => {
  it('may touch but not overlap', () => {
    const windows = [
      { startTime: '08:00', endTime: '10:00' },
      { startTime: '20:00', endTime: '02:00' },
      { startTime: '10:00', endTime: '12:00' },
    ];
    expect(overlappingWindow(windows)).toBeUndefined();
    expect(overlappingWindow([...windows, { startTime: '23:00', endTime: '23:30' }])).toBe(3);
    expect(overlappingWindow([])).toBeUndefined();
  });
});
