import type { WeeklyWindow } from './availability/schedule.ts';
import { mergeIntervals, overlaps, type Interval } from './interval.ts';
import type { TimeWindow } from './schedule-change.ts';
import { DAY_MS } from './clock.ts';
import { timeOfDay } from './time-zone.ts';

/*
 * Hours as a person writes them down, before they become rules: what overlaps itself or lies outside is a slip of the pen, and is said so.
 */

const WEEK_MS = 7 * DAY_MS;

/** What is wrong, and with which entry. */
export interface HoursFault {
  readonly list: 'weekly' | 'breaks';
  readonly index: number;
  /** `overlaps`: an earlier entry of the list. `outside_hours`: a break that does not lie within the weekly hours. */
  readonly rule: 'overlaps' | 'outside_hours';
}

/** The first fault of a week, in which Sunday night reaches into Monday; windows that touch are one. */
export function faultOfHours(weekly: readonly WeeklyWindow[], breaks: readonly WeeklyWindow[]): HoursFault | undefined {
  const hours = weekly.map(inWeek);
  const pauses = breaks.map(inWeek);
  const overlappingHours = firstOverlap(hours);
  if (overlappingHours !== undefined) return { list: 'weekly', index: overlappingHours, rule: 'overlaps' };
  const overlappingBreak = firstOverlap(pauses);
  if (overlappingBreak !== undefined) return { list: 'breaks', index: overlappingBreak, rule: 'overlaps' };

  const open = mergeIntervals(hours.flatMap(everyWeek));
  const outside = pauses.findIndex((pause) => !open.some((each) => each.from <= pause.from && pause.to <= each.to));
  return outside === -1 ? undefined : { list: 'breaks', index: outside, rule: 'outside_hours' };
}

/** The first of one date's windows that overlaps an earlier one. */
export function overlappingWindow(windows: readonly TimeWindow[]): number | undefined {
  const placed = windows.map((window) => onDay(window, 0));
  const index = placed.findIndex((each, at) => placed.slice(0, at).some((earlier) => overlaps(each, earlier)));
  return index === -1 ? undefined : index;
}

function firstOverlap(windows: readonly Interval[]): number | undefined {
  const index = windows.findIndex((each, at) =>
    windows.slice(0, at).some((earlier) => everyWeek(earlier).some((turn) => overlaps(each, turn))),
  );
  return index === -1 ? undefined : index;
}

/** Milliseconds since Monday 00:00; a window of Sunday may end after the week. */
function inWeek(window: WeeklyWindow): Interval {
  return onDay(window, (window.dayOfWeek - 1) * DAY_MS);
}

function onDay({ startTime, endTime }: TimeWindow, day: number): Interval {
  const [start, end] = [timeOfDay(startTime), timeOfDay(endTime)];
  return { from: day + start, to: day + (end > start ? end : end + DAY_MS) };
}

/** The window in the week before, in this one and in the next. */
function everyWeek({ from, to }: Interval): Interval[] {
  return [-WEEK_MS, 0, WEEK_MS].map((shift) => ({ from: from + shift, to: to + shift }));
}
