import { describe, expect, it, jest } from '@jest/globals';
import { judgeSlot } from '../../src/domain/availability/judge.ts';
import { type ProviderSchedule } from '../../src/domain/availability/schedule.ts';
import { availableSlots } from '../../src/domain/availability/search.ts';
import { dayBounds } from '../../src/domain/time-zone.ts';
import { faultsAround, instantsOf, questionsAround, type Answering, type Question } from './clock-change-check.ts';
import { schedule } from '../unit/domain/schedules.ts';
import { drawTenth } from '../support/seed.ts';
import { ZONES } from '../unit/domain/zones.ts';
import { clockChangesOf, dateOf, EVERY_ZONE, instantShowing, wallAt, type ClockChange } from './wall-clocks.ts';

// Minutes of computing on a busy machine.
jest.setTimeout(300_000);

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The zones with every change of their clocks from 2024 to 2030. No zone stands for another: which are asked is drawn anew each time, and all are on demand. */
const ASKED = drawTenth('zones', EVERY_ZONE, ZONES);
const EVERY_CHANGE = ASKED.flatMap(clockChangesOf);
const NEW_YORK = clockChangesOf('America/New_York');
const forward = ({ before, after }: ClockChange): boolean => after > before;
const backward = ({ before, after }: ClockChange): boolean => after < before;

function rulesOf({ zone, startTime, endTime, stepMinutes }: Question): ProviderSchedule {
  return schedule({
    timeZone: zone,
    weekly: [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, startTime, endTime })),
    breaks: [],
    // Not far ahead: reading a zone's clock is what takes this file its time.
    policy: { slotStepMinutes: stepMinutes, bookingHorizonDays: 4 },
  });
}
const daysBefore = (date: string): number => Date.parse(date) - 2 * DAY;

const bySearching: Answering = (question) =>
  availableSlots({
    schedule: rulesOf(question),
    date: question.date,
    durationMinutes: question.durationMinutes,
    now: daysBefore(question.date),
    busy: [],
  }).slots.map(({ from }) => from);

/** Asks whether a visit may start: of every fifth minute around the change and the day's ends, and of every quarter of an hour else. */
function byJudging(change: ClockChange): Answering {
  return (question) => {
    const rules = rulesOf(question);
    const { durationMinutes, date, stepMinutes } = question;
    const instants = instantsOf(change, date);
    const nearest = [change.at, instants[0] ?? 0, instants.at(-1) ?? 0];
    const isNear = (instant: number): boolean => nearest.some((each) => Math.abs(instant - each) <= 150 * MINUTE);
    return instants
      .filter((from) => isNear(from) || (stepMinutes === 15 && from % (15 * MINUTE) === 0))
      .filter((from) => judgeSlot({ schedule: rules, from, durationMinutes, now: daysBefore(date), busy: [] }).ok);
  };
}

describe('in the zones that are asked, around every clock change from 2024 to 2030,', () => {
  it('there are changes to speak of', () => {
    expect(EVERY_ZONE.length).toBeGreaterThan(400);
    // What the sixteen zones that are always asked have is enough, whatever is drawn.
    expect(EVERY_CHANGE.filter(forward).length).toBeGreaterThan(60);
    expect(EVERY_CHANGE.filter(backward).length).toBeGreaterThan(60);
    expect(new Set(EVERY_CHANGE.map(({ zone }) => zone)).size).toBe(ASKED.length);
  });

  it('no slot overlaps another, none vanishes and none shifts', () => {
    expect(EVERY_CHANGE.flatMap((change) => faultsAround(change, bySearching))).toEqual([]);
  });

  it('the slots of a clinic that never closes follow one another from midnight to midnight', () => {
    const broken = EVERY_CHANGE.filter((change) => {
      const date = dateOf(wallAt(change, change.at));
      const day = dayBounds(change.zone, date);
      const [aroundTheClock] = questionsAround(change);
      const starts = bySearching({ ...(aroundTheClock as Question), date });
      const ends = [day.from, ...starts.map((start) => start + 15 * MINUTE)];
      return starts.some((start, index) => start !== ends[index]) || ends.at(-1) !== day.to;
    });
    expect(broken).toEqual([]);
  });

  it('booking says yes to those very slots', () => {
    const faults = EVERY_CHANGE.flatMap((change) => {
      const date = dateOf(wallAt(change, change.at));
      const questions = questionsAround(change).filter((question) => question.date === date);
      // Around the clock, and from the very time that changes.
      const asked = [0, 3].flatMap((index) => questions.slice(index, index + 1));
      return faultsAround(change, byJudging(change), asked);
    });
    expect(faults).toEqual([]);
  });

  it('office hours have the starts that they have on any other day', () => {
    const usual = [0, 20, 40].flatMap((minute) => [9, 10, 11, 12, 13, 14, 15, 16].map((hour) => hour * 60 + minute));
    const officeHours = { startTime: '09:00', endTime: '17:00', stepMinutes: 20, durationMinutes: 20 };
    const strange = EVERY_CHANGE.filter((change) => {
      const date = dateOf(wallAt(change, change.at));
      const starts = bySearching({ zone: change.zone, date, ...officeHours });
      const minutes = starts.map((start) => (wallAt(change, start) - Date.parse(date)) / MINUTE);
      return JSON.stringify(minutes) !== JSON.stringify([...usual].sort((a, b) => a - b));
    });
    expect(strange).toEqual([]);
  });
});

describe('the check can fail: it finds fault with', () => {
  /** Times of the wall clock from the start of the hours on, on the grid, whose visit ends in them: as on a day without a change. */
  const wallStarts = ({ date, startTime, endTime, stepMinutes, durationMinutes }: Question): number[] => {
    const at = (time: string): number =>
      Date.parse(date) + (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * MINUTE;
    const end = endTime <= startTime ? at('24:00') : at(endTime);
    const starts: number[] = [];
    for (let wall = Date.parse(date); wall < Date.parse(date) + DAY; wall += stepMinutes * MINUTE) {
      if (at(startTime) <= wall && wall + durationMinutes * MINUTE <= end) starts.push(wall);
    }
    return starts;
  };
  const aroundTheClock = (change: ClockChange): Question[] =>
    questionsAround(change).filter(({ endTime }) => endTime === '24:00');
  const faults = (change: ClockChange, wrong: Answering): string[] =>
    faultsAround(change, wrong, aroundTheClock(change));

  it('one offset for the whole day, at every change of every zone', () => {
    const missed = EVERY_CHANGE.filter(({ before, after }) => before !== after).filter((change) => {
      const asOfMidnight: Answering = (question) => {
        const offset = wallAt(change, Date.parse(question.date)) - Date.parse(question.date);
        return wallStarts(question).map((wall) => wall - offset);
      };
      return faults(change, asOfMidnight).length === 0;
    });
    expect(missed).toEqual([]);
  });

  it('the same offset before and after, but not on a day without a change', () => {
    const change = NEW_YORK.find(forward) as ClockChange;
    const never: Answering = (question) => wallStarts(question).map((wall) => wall - change.before);
    const dates = new Set(faults(change, never).map((text) => text.split(' ')[1]));
    expect([...dates]).toEqual([dateOf(wallAt(change, change.at)), dateOf(wallAt(change, change.at) + DAY)]);
  });

  it('a time that comes twice and is offered once, and one that is skipped and offered all the same', () => {
    const once: (change: ClockChange) => Answering = (change) => (question) =>
      wallStarts(question).map((wall) => instantShowing(change, wall));
    for (const change of NEW_YORK) {
      const found = faults(change, once(change));
      if (backward(change)) expect(found).toEqual(expect.arrayContaining([expect.stringContaining('vanished')]));
      else expect(found).toEqual(expect.arrayContaining([expect.stringContaining('overlaps')]));
    }
  });

  it('a grid that counts elapsed time from the start of the hours', () => {
    const elapsed: (change: ClockChange) => Answering = (change) => (question) => {
      const opened = instantShowing(change, Date.parse(question.date));
      return instantsOf(change, question.date).filter(
        (start) => (start - opened) % (question.stepMinutes * MINUTE) === 0,
      );
    };
    const byFortyFive = (change: ClockChange): Question[] =>
      aroundTheClock(change).map((question) => ({ ...question, stepMinutes: 45, durationMinutes: 15 }));
    for (const change of NEW_YORK) {
      expect(faultsAround(change, elapsed(change), byFortyFive(change)).length).toBeGreaterThan(0);
      expect(faultsAround(change, bySearching, byFortyFive(change))).toEqual([]);
    }
  });
});
