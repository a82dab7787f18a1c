import { DAY_MS } from './clock.ts';
import { instantOfLocal, offsetAt } from './time-zone.ts';

/** How far apart the visits of a series may be, and how many there may be. */
export const EVERY_WEEKS = { least: 1, most: 52 } as const;
export const SERIES_COUNT = { least: 2, most: 26 } as const;

/** Where a visit falls when it keeps its place on the clinic's wall clock. */
export interface WallClockStart {
  /** Epoch milliseconds. */
  readonly from: number;
  /** The clocks skip the time that was meant: `from` shows another one, so it is no date of the series. */
  readonly isSkipped: boolean;
}

/**
 * The starts of a series: the wall-clock time of the first one in the clinic's zone, every so many weeks, across clock changes. The first is taken
 * as it is; where a later one comes twice, its first occurrence counts.
 *
 * @param first - epoch milliseconds
 */
export function seriesStarts(
  timeZone: string,
  first: number,
  rhythm: { readonly everyWeeks: number; readonly count: number },
): WallClockStart[] {
  return Array.from({ length: rhythm.count }, (_, index) =>
    alongWallClock(timeZone, first, index * rhythm.everyWeeks * 7 * DAY_MS),
  );
}

/**
 * How far a move takes a visit on the clinic's wall clock: days and time of day together. Milliseconds; the instants may be an hour more or less apart.
 */
export function wallClockShift(timeZone: string, from: number, to: number): number {
  return to + offsetAt(timeZone, to) - (from + offsetAt(timeZone, from));
}

/** The start whose wall clock shows so much more, or less, than that of another. Milliseconds; none leaves it where it is. */
export function alongWallClock(timeZone: string, start: number, shift: number): WallClockStart {
  if (shift === 0) return { from: start, isSkipped: false };
  const local = start + offsetAt(timeZone, start) + shift;
  const from = instantOfLocal(timeZone, local);
  return { from, isSkipped: from + offsetAt(timeZone, from) !== local };
}
