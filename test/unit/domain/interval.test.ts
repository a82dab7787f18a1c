import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Interval } from '../../../src/domain/interval.ts';
import { intersectIntervals, mergeIntervals, overlaps, subtractIntervals } from '../../../src/domain/interval.ts';

const interval = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([from, length]): Interval => ({ from, to: from + length }));
const intervals = fc.array(interval, { maxLength: 8 });

/** The whole numbers an interval list covers: the definition the algebra is checked against. */
function points(list: readonly Interval[]): number[] {
  const covered = new Set<number>();
  for (const { from, to } of list) for (let point = from; point < to; point += 1) covered.add(point);
  return [...covered].sort((a, b) => a - b);
}

function isTidy(list: readonly Interval[]): boolean {
  return list.every((each, index) => {
    const next = list[index + 1];
    return each.from < each.to && (next === undefined || each.to <= next.from);
  });
}

describe('intervals', () => {
  it('do not overlap when one ends where the other starts', () => {
    expect(overlaps({ from: 1, to: 2 }, { from: 2, to: 3 })).toBe(false);
    expect(overlaps({ from: 1, to: 3 }, { from: 2, to: 3 })).toBe(true);
  });

  it('become one when they touch', () => {
    expect(
      mergeIntervals([
        { from: 5, to: 7 },
        { from: 1, to: 3 },
        { from: 3, to: 4 },
        { from: 6, to: 6 },
      ]),
    ).toEqual([
      { from: 1, to: 4 },
      { from: 5, to: 7 },
    ]);
  });

  it('cover the same points merged as apart', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const merged = mergeIntervals(list);
        expect(points(merged)).toEqual(points(list));
        expect(isTidy(merged)).toBe(true);
      }),
    );
  });

  it('subtract and intersect like the sets of their points', () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const [left, right] = [mergeIntervals(a), mergeIntervals(b)];
        const inRight = new Set(points(right));
        const difference = subtractIntervals(left, right);
        const common = intersectIntervals(left, right);
        expect(points(difference)).toEqual(points(left).filter((point) => !inRight.has(point)));
        expect(points(common)).toEqual(points(left).filter((point) => inRight.has(point)));
        expect(isTidy(difference) && isTidy(common)).toBe(true);
      }),
    );
  });
});
