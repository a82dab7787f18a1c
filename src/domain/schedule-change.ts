import { objectionsOfHours, type HoursRefusal } from './availability/judge.ts';
import { type Closure, type DateOverride, type ProviderSchedule, type WeeklyWindow } from './availability/schedule.ts';
import { overlaps, type Interval } from './interval.ts';
import { DAY_MS, visitAt } from './clock.ts';
import { addDays, startOfDay } from './time-zone.ts';

/*
 * What a change of a schedule does to visits that are booked already: nothing by itself. They stay until somebody moves or cancels them, so whoever
 * changes the schedule is told which of them it leaves where no visit should be.
 */

/** Wall-clock times `HH:MM` in the clinic's zone; an end at or before the start is on the next day. */
export type TimeWindow = Pick<WeeklyWindow, 'startTime' | 'endTime'>;

/** A change that can take time away. What only gives time back (removing time off or a closure) affects nobody. */
export type ScheduleChange =
  | { readonly kind: 'hours'; readonly weekly: readonly WeeklyWindow[]; readonly breaks: readonly WeeklyWindow[] }
  /** No windows: closed on this date. */
  | { readonly kind: 'override'; readonly date: string; readonly windows: readonly TimeWindow[] }
  | { readonly kind: 'override_cleared'; readonly date: string }
  | { readonly kind: 'time_off'; readonly during: Interval }
  | { readonly kind: 'closures'; readonly closures: readonly Closure[] }
  /** The same wall-clock times in another zone, of which visits know nothing. */
  | { readonly kind: 'zone'; readonly timeZone: string };

/** The schedule as it will be. */
export function applyChange(schedule: ProviderSchedule, change: ScheduleChange): ProviderSchedule {
  switch (change.kind) {
    case 'hours':
      return { ...schedule, weekly: change.weekly, breaks: change.breaks };
    case 'override':
      return { ...schedule, overrides: [...withoutDate(schedule.overrides, change.date), ...overridesOf(change)] };
    case 'override_cleared':
      return { ...schedule, overrides: withoutDate(schedule.overrides, change.date) };
    case 'time_off':
      return { ...schedule, timeOff: [...schedule.timeOff, change.during] };
    case 'closures':
      return { ...schedule, closures: [...schedule.closures, ...change.closures] };
    case 'zone':
      return { ...schedule, timeZone: change.timeZone };
  }
}

/** One date's windows as the rules of that date; without windows it is closed. */
export function overridesOf({
  date,
  windows,
}: {
  readonly date: string;
  readonly windows: readonly TimeWindow[];
}): DateOverride[] {
  return windows.length === 0 ? [{ date }] : windows.map((window) => ({ date, ...window }));
}

/** A visit as it is booked. */
export interface BookedVisit {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly durationMinutes: number;
}

/** A visit that the change leaves where no visit should be, and the rule that says so. */
export type Affected<Visit> = Visit & { readonly rule: HoursRefusal };

/**
 * The visits that a rule of hours, breaks, closures or time off refuses after the change and did not refuse before. So a visit that staff put outside
 * the hours on purpose is not put down to new hours that leave it outside, but it is to a closure of that day.
 */
export function affectedBy<Visit extends BookedVisit>(
  schedule: ProviderSchedule,
  change: ScheduleChange,
  visits: readonly Visit[],
): Affected<Visit>[] {
  const changed = applyChange(schedule, change);
  return visits.flatMap((visit) => {
    const during = visitAt(visit.from, visit.durationMinutes);
    const after = objectionsOfHours(changed, during);
    if (after.length === 0) return [];
    const before = new Set(objectionsOfHours(schedule, during).map(({ rule }) => rule));
    const objection = after.find(({ rule }) => !before.has(rule));
    return objection === undefined ? [] : [{ ...visit, rule: objection.code }];
  });
}

/**
 * As {@link affectedBy}, of many providers' visits that meet new closures: they refuse alike whatever a provider's rules are, unless the clinic was closed
 * already.
 * @param visits - earliest first
 * @param closedBefore - see `closedTimes`
 */
export function affectedByClosures<Visit extends BookedVisit>(
  visits: readonly Visit[],
  closedBefore: readonly Interval[],
): Affected<Visit>[] {
  let next = 0;
  return visits.flatMap((visit) => {
    const during = visitAt(visit.from, visit.durationMinutes);
    for (let closed = closedBefore[next]; closed !== undefined && closed.to <= during.from; closed = closedBefore[next])
      next += 1;
    const closed = closedBefore[next];
    return closed !== undefined && overlaps(closed, during) ? [] : [{ ...visit, rule: 'provider_closed' as const }];
  });
}

/** Where a visit must lie, at least partly, to be affected: keeps the database from reading visits that cannot be. Epoch milliseconds. */
export function reachOf(change: Exclude<ScheduleChange, { kind: 'closures' }>, timeZone: string): Interval {
  switch (change.kind) {
    case 'hours':
    case 'zone':
      return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    case 'override':
    case 'override_cleared':
      // A window of this date may last until the end of the next, and longer where the clocks change.
      return { from: startOfDay(timeZone, change.date), to: startOfDay(timeZone, addDays(change.date, 2)) + DAY_MS };
    case 'time_off':
      return change.during;
  }
}

function withoutDate(overrides: readonly DateOverride[], date: string): DateOverride[] {
  return overrides.filter((each) => each.date !== date);
}
