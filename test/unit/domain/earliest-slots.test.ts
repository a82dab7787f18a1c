import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { availableSlots } from '../../../src/domain/availability/search.ts';
import { earliestSlots, type ProviderTime } from '../../../src/domain/earliest-slots.ts';
import { addDays, zonedInstant } from '../../../src/domain/time-zone.ts';
import { anySearch, schedule } from './schedules.ts';

const MONDAY = '2026-06-15';
const NOW = Date.parse('2026-06-10T08:00:00Z');
const at = (time: string, date = MONDAY): number => zonedInstant('Europe/Berlin', date, time);

function aProvider(providerId: string, startTime: string, endTime: string, dayOfWeek = 1): ProviderTime {
  const weekly = [{ dayOfWeek, startTime, endTime }];
  return { schedule: schedule({ providerId, weekly, breaks: [], policy: { slotStepMinutes: 30 } }), busy: [] };
}

describe('the earliest slots of a clinic', () => {
  const asked = { fromDate: MONDAY, toDate: addDays(MONDAY, 30), durationMinutes: 30, now: NOW };

  it('come from all providers in the order of time, then of their ids', () => {
    const providers = [
      aProvider('b', '09:00', '10:00'),
      aProvider('c', '08:30', '09:30'),
      aProvider('a', '09:30', '10:00'),
    ];
    const found = earliestSlots(providers, { ...asked, toDate: MONDAY, limit: 20 });
    expect(found.map(({ providerId, from }) => [providerId, from])).toEqual([
      ['c', at('08:30')],
      ['b', at('09:00')],
      ['c', at('09:00')],
      ['a', at('09:30')],
      ['b', at('09:30')],
    ]);
    expect(earliestSlots(providers, { ...asked, toDate: MONDAY, limit: 2 })).toEqual(found.slice(0, 2));
  });

  it('are looked for until the last date, and not after it', () => {
    const sundays = [aProvider('a', '09:00', '09:30', 7)];
    const starts = (toDate: string) => earliestSlots(sundays, { ...asked, toDate, limit: 20 }).map(({ from }) => from);
    expect(starts(addDays(MONDAY, 5))).toEqual([]);
    expect(starts(addDays(MONDAY, 6))).toEqual([at('09:00', addDays(MONDAY, 6))]);
    expect(starts(addDays(MONDAY, 30))).toHaveLength(4);
    expect(earliestSlots([], { ...asked, limit: 20 })).toEqual([]);
  });

  it('are the first of all that each provider has on each date', () => {
    fc.assert(
      fc.property(
        fc.array(anySearch, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 1, max: 60 }),
        (searches, days, limit) => {
          const [{ date, now, durationMinutes, schedule: first }] = searches as [(typeof searches)[0]];
          const dates = Array.from({ length: days + 1 }, (_, index) => addDays(date, index - 1));
          const providers = searches.map(({ schedule: rules, busy }, index) => ({
            schedule: { ...rules, timeZone: first.timeZone, providerId: String(index) },
            busy,
          }));
          const all = dates.flatMap((each) =>
            providers
              .flatMap((provider) =>
                availableSlots({ ...provider, date: each, now, durationMinutes }).slots.map((slot) => ({
                  providerId: provider.schedule.providerId,
                  ...slot,
                })),
              )
              .sort((a, b) => a.from - b.from),
          );
          const search = { fromDate: addDays(date, -1), toDate: addDays(date, days - 1), now, durationMinutes, limit };
          expect(earliestSlots(providers, search)).toEqual(all.slice(0, limit));
        },
      ),
      { numRuns: 60 },
    );
  });
});
