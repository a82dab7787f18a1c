import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { judgeSlot } from '../../src/domain/availability/judge.ts';
import { availableSlots, type SlotSearch } from '../../src/domain/availability/search.ts';
import { dayBounds } from '../../src/domain/time-zone.ts';
import { ASKS_EVERYTHING, diceOf, drawSeed, type Dice } from '../support/seed.ts';
import { anySearch } from '../unit/domain/schedules.ts';

// Minutes of computing on a busy machine.
jest.setTimeout(300_000);

const MINUTE = 60_000;
const SEARCHES = ASKS_EVERYTHING ? 500 : 100;
const STARTS = 200;

interface Count {
  readonly starts: number;
  readonly offered: number;
  /** `search` is the place of the search among those drawn from the seed. */
  readonly disagreements: readonly { readonly search: number; readonly start: string; readonly offered: boolean }[];
}

/** Draws starts on the date of each search and asks both: is it offered, may it be booked? */
function compare(
  searches: readonly SlotSearch[],
  dice: Dice,
  mayBook: (search: SlotSearch, from: number) => boolean,
): Count {
  let offeredCount = 0;
  const disagreements: { search: number; start: string; offered: boolean }[] = [];
  for (const [index, search] of searches.entries()) {
    const offered = availableSlots(search).slots.map(({ from }) => from);
    const isOffered = new Set(offered);
    for (let drawn = 0; drawn < STARTS; drawn += 1) {
      const from = aStart(search, offered, dice);
      if (isOffered.has(from)) offeredCount += 1;
      if (mayBook(search, from) !== isOffered.has(from)) {
        disagreements.push({ search: index, start: new Date(from).toISOString(), offered: isOffered.has(from) });
      }
    }
  }
  return { starts: searches.length * STARTS, offered: offeredCount, disagreements };
}

/** One that is offered, one five minutes beside it, any fifth minute, or any millisecond of the date. */
function aStart({ schedule, date }: SlotSearch, offered: readonly number[], dice: Dice): number {
  const { from, to } = dayBounds(schedule.timeZone, date);
  const inDay = (instant: number): number => (from <= instant && instant < to ? instant : from);
  const kind = offered.length === 0 ? 2 + dice.below(2) : dice.below(4);
  if (kind === 0) return dice.pick(offered);
  if (kind === 1) return inDay(dice.pick(offered) + dice.pick([-5, 5]) * MINUTE);
  if (kind === 2) return from + dice.below((to - from) / (5 * MINUTE)) * 5 * MINUTE;
  return from + dice.below(to - from);
}

const judging = (search: SlotSearch, from: number): boolean => judgeSlot({ ...search, from }).ok;

/** Whether the comparison can fail is no matter of chance: always the same searches, among which each mistake shows. */
const CONTROL_SEED = 20270315;
const CONTROLS = fc.sample(anySearch, { seed: CONTROL_SEED, numRuns: 500 });

describe('search and booking', () => {
  const seed = drawSeed('random slots');
  const searches = fc.sample(anySearch, { seed, numRuns: SEARCHES });

  it('agree on every random slot: what is offered may be booked, and nothing else may', () => {
    const { starts, offered, disagreements } = compare(searches, diceOf(seed), judging);
    expect(disagreements).toEqual([]);
    expect(starts).toBe(SEARCHES * STARTS);
    // Enough of both kinds, whatever the seed.
    expect(offered).toBeGreaterThan(SEARCHES * 2);
    expect(starts - offered).toBeGreaterThan(SEARCHES * 2);
  });

  it.each<[string, (search: SlotSearch) => SlotSearch]>([
    ['forgets the buffers', (search) => withPolicy(search, { bufferBeforeMinutes: 0, bufferAfterMinutes: 0 })],
    ['counts the grid in UTC', (search) => ({ ...search, schedule: { ...search.schedule, timeZone: 'UTC' } })],
    ['does not count the day', (search) => ({ ...search, schedule: { ...search.schedule, maxDailyAppointments: 99 } })],
    ['does not see who has the time already', (search) => ({ ...search, busy: [] })],
    ['knows no breaks', (search) => ({ ...search, schedule: { ...search.schedule, breaks: [] } })],
    ['knows no notice', (search) => withPolicy(search, { bookingNoticeMinutes: 0 })],
  ])('are seen to disagree when booking %s', (_what, otherwise) => {
    const { disagreements } = compare(CONTROLS, diceOf(CONTROL_SEED), (search, from) =>
      judging(otherwise(search), from),
    );
    expect(disagreements.length).toBeGreaterThan(0);
  });
});

function withPolicy(search: SlotSearch, policy: Partial<SlotSearch['schedule']['policy']>): SlotSearch {
  return { ...search, schedule: { ...search.schedule, policy: { ...search.schedule.policy, ...policy } } };
}
