import { describe, expect, it } from '@jest/globals';
import { DEFAULT_POLICY } from '../../../src/domain/policy.ts';
import { remainderOf, tooLateToRefill, type FreedSlot } from '../../../src/scheduling/claims/open-round.ts';
import { schedule } from '../domain/schedules.ts';

const MINUTE = 60_000;
const NINE = Date.parse('2026-06-15T07:00:00Z');
const at = (minutes: number): number => NINE + minutes * MINUTE;

describe('a slot that is freed shortly before it starts', () => {
  const policy = { ...DEFAULT_POLICY.waitlist, stopBeforeMinutes: 120 };

  it.each([
    ['a minute less than the clinic wants', 119, true],
    ['just as long as the clinic wants', 120, false],
    ['longer', 121, false],
  ])('is given to the waitlist or not: %s before', (_what, minutes, tooLate) => {
    expect(tooLateToRefill(at(minutes), NINE, policy)).toBe(tooLate);
  });

  it('is never too late where the clinic has set no time', () => {
    expect(tooLateToRefill(NINE, NINE, { ...policy, stopBeforeMinutes: 0 })).toBe(false);
  });
});

describe('what is left of a freed slot', () => {
  const rules = schedule();
  const freed: FreedSlot = {
    appointmentId: 'a',
    provider: { providerId: 'p', scheduleVersion: 1, policyVersion: 1 },
    patientId: 'someone',
    visitFrom: at(0),
    durationMinutes: 60,
    during: { from: at(0), to: at(60) },
  };
  const left = (from: number, to: number, slot = freed, by = rules) => {
    const part = remainderOf(slot, by, { from: at(from), to: at(to) });
    return part && [(part.visitFrom - NINE) / MINUTE, part.durationMinutes];
  };

  it('is all of it when the new time lies elsewhere', () => {
    expect(remainderOf(freed, rules, { from: at(60), to: at(90) })).toBe(freed);
  });

  it('is the longer part of two, wherever it lies', () => {
    expect(left(15, 30)).toEqual([30, 30]);
    expect(left(30, 45)).toEqual([0, 30]);
    expect(remainderOf(freed, rules, { from: at(15), to: at(30) })?.during).toEqual({ from: at(30), to: at(60) });
  });

  it('is nothing when all of it is taken, or when no visit starts on the grid of what is left', () => {
    expect(left(0, 60)).toBeUndefined();
    expect(left(-15, 90)).toBeUndefined();
    expect(left(0, 50)).toBeUndefined();
  });

  it('leaves room for the buffers', () => {
    const buffered = schedule({ policy: { bufferBeforeMinutes: 10, bufferAfterMinutes: 5 } });
    expect(left(-10, 20, freed, buffered)).toEqual([30, 25]);
  });
});
