import { describe, expect, it } from '@jest/globals';
import { afterContactMinutes, nearestSlot, offerDeadline, startsSoon } from '../../../src/domain/sick-day.ts';

const timeZone = 'Europe/Berlin';
const toAnswer = { timeZone, offerMinutes: 120 };
const at = (text: string) => Date.parse(text);
const said = (instant = NaN) => new Date(instant).toISOString();

describe('the time to answer', () => {
  it.each([
    ['2027-01-12T05:03:00+01:00', 120, '2027-01-12T10:00:00+01:00'],
    ['2027-01-12T10:00:00+01:00', 120, '2027-01-12T12:00:00+01:00'],
    ['2027-01-12T19:00:00+01:00', 120, '2027-01-13T09:00:00+01:00'],
    ['2027-01-12T23:00:00+01:00', 0, '2027-01-13T08:00:00+01:00'],
    // The night in which the clocks go forward.
    ['2027-03-27T19:30:00+01:00', 60, '2027-03-28T08:30:00+02:00'],
  ])('counts contact hours only: from %s, %s minutes end at %s', (from, minutes, end) => {
    expect(said(afterContactMinutes(timeZone, at(from), minutes))).toBe(said(at(end)));
  });

  it('is over half an hour before the visit', () => {
    expect(startsSoon(toAnswer, at('2027-01-12T12:30:00+01:00'), at('2027-01-12T10:00:00+01:00'))).toBe(false);
    expect(startsSoon(toAnswer, at('2027-01-12T12:29:00+01:00'), at('2027-01-12T10:00:00+01:00'))).toBe(true);
  });
});

describe('an offer', () => {
  const visitFrom = at('2027-01-24T10:00:00+01:00');
  const now = at('2027-01-12T05:03:00+01:00');

  it('that goes out at 05:03 for a visit in twelve days lasts for days; the last of three until a day before it', () => {
    const times = { now, visitFrom, slotFrom: visitFrom };
    const first = offerDeadline(toAnswer, { ...times, offersLeft: 3 }) ?? 0;
    expect(first - now).toBeGreaterThan(3 * 86_400_000);
    expect(said(offerDeadline(toAnswer, { ...times, offersLeft: 1 }))).toBe(said(visitFrom - 86_400_000));
  });

  it('lasts at least its contact hours, and not when there are none left before the call or the slot itself', () => {
    const soon = { now: at('2027-01-23T11:00:00+01:00'), visitFrom, offersLeft: 3 };
    expect(said(offerDeadline(toAnswer, { ...soon, slotFrom: visitFrom }))).toBe(said(at('2027-01-23T13:00:00+01:00')));
    const slotFrom = at('2027-01-23T13:00:00+01:00');
    expect(offerDeadline(toAnswer, { ...soon, slotFrom })).toBe(slotFrom);
    expect(offerDeadline(toAnswer, { ...soon, slotFrom: slotFrom - 1 })).toBeUndefined();
  });

  it('never outlives the slot that it offers', () => {
    const slotFrom = at('2027-01-13T09:00:00+01:00');
    expect(offerDeadline(toAnswer, { now, visitFrom, slotFrom, offersLeft: 1 })).toBe(slotFrom);
  });
});

describe('the nearest slot', () => {
  const slot = (from: number) => {
    return { from, to: from + 30 };
  };
  it('is the earlier of two that are as near', () => {
    expect(nearestSlot([slot(90), slot(110), slot(70)], 100)).toEqual(slot(90));
    expect(nearestSlot([slot(110), slot(90)], 100)).toEqual(slot(90));
    expect(nearestSlot([slot(1)].slice(1), 100)).toBeUndefined();
  });
});
