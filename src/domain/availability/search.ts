import { type Interval, mergeIntervals } from '../interval.ts';
import { DAY_MS, MINUTE_MS } from '../clock.ts';
import { offsetSpans, startOfDay, startOfLocalDay, utcMidnight } from '../time-zone.ts';
import { type BusyTime, type VisitQuestion, isDuration, bookingWindow, gridAtOrAfter, fullDays } from './judge.ts';
import { type ProviderSchedule, rulesBetween, openBetween } from './schedule.ts';

export interface SlotSearch extends VisitQuestion {
  /** ISO date in the clinic's zone. A slot belongs to the date on which it starts. */
  readonly date: string;
  /** The provider's live reservations in {@link busyRange}, in any order. */
  readonly busy: readonly BusyTime[];
}

export interface SlotRangeSearch extends VisitQuestion {
  /** First and last ISO date in the clinic's zone, both included. */
  readonly fromDate: string;
  readonly toDate: string;
  readonly busy: readonly BusyTime[];
}

/** The visits of this length that can be booked on this date, earliest first. None for a length that is no valid duration. */
export function availableSlots(search: SlotSearch): { slots: Interval[] } {
  return availableSlotsInRange({ ...search, fromDate: search.date, toDate: search.date });
}

/** As {@link availableSlots}, for several dates at once. */
export function availableSlotsInRange(search: SlotRangeSearch): { slots: Interval[] } {
  const { schedule } = search;
  const [first, last] = [utcMidnight(search.fromDate), utcMidnight(search.toDate)];
  const range: Interval = {
    from: startOfLocalDay(schedule.timeZone, first),
    to: startOfLocalDay(schedule.timeZone, last + DAY_MS),
  };
  return { slots: sweep(search, openBetween(rulesBetween(schedule, first, last)), range) };
}

/** The range whose reservations a search over these dates must know. */
export function busyRange(
  schedule: ProviderSchedule,
  fromDate: string,
  toDate: string,
  durationMinutes: number,
): Interval {
  const { timeZone, policy } = schedule;
  return {
    from: startOfDay(timeZone, fromDate) - policy.bufferBeforeMinutes * MINUTE_MS,
    to:
      startOfLocalDay(timeZone, utcMidnight(toDate) + DAY_MS) +
      (durationMinutes + policy.bufferAfterMinutes) * MINUTE_MS,
  };
}

/** The longest visit that fits into free time of the provider with its buffers, from the first start on the grid; undefined when none does. */
export function visitWithin({ timeZone, policy }: ProviderSchedule, free: Interval): Interval | undefined {
  const earliest = free.from + policy.bufferBeforeMinutes * MINUTE_MS;
  const end = free.to - policy.bufferAfterMinutes * MINUTE_MS;
  if (earliest >= end) return undefined;
  for (const span of offsetSpans(timeZone, earliest, end)) {
    const from = gridAtOrAfter(span.from + span.offset, policy.slotStepMinutes * MINUTE_MS) - span.offset;
    if (from >= span.to) continue;
    const minutes = Math.floor((end - from) / MINUTE_MS);
    return minutes > 0 ? { from, to: from + minutes * MINUTE_MS } : undefined;
  }
  return undefined;
}

/**
 * Every start on the grid in `range` whose visit lies in one open window and whose reservation meets no busy time: one pass over three sorted lists.
 * The zone is asked only at window edges.
 */
function sweep(
  { schedule, durationMinutes, now, busy }: SlotRangeSearch,
  open: readonly Interval[],
  range: Interval,
): Interval[] {
  if (!isDuration(durationMinutes)) return [];
  const { timeZone, policy } = schedule;
  const step = policy.slotStepMinutes * MINUTE_MS;
  const duration = durationMinutes * MINUTE_MS;
  const before = policy.bufferBeforeMinutes * MINUTE_MS;
  const lengthWithBuffer = duration + policy.bufferAfterMinutes * MINUTE_MS;
  const { earliest, until } = bookingWindow(schedule, now);
  const firstStart = Math.max(range.from, earliest, now + 1);
  const endOfStarts = Math.min(range.to, until);
  const taken = mergeIntervals(busy);
  const isFull = fullDays(schedule, busy);

  const slots: Interval[] = [];
  let index = 0;
  for (const window of open) {
    const from = Math.max(window.from, firstStart);
    const to = Math.min(window.to - duration + 1, endOfStarts);
    if (from >= to) continue;
    for (const span of offsetSpans(timeZone, from, to)) {
      let start = gridAtOrAfter(span.from + span.offset, step) - span.offset;
      while (start < span.to) {
        let block = taken[index];
        while (block !== undefined && block.to + before <= start) block = taken[++index];
        if (block !== undefined && block.from < start + lengthWithBuffer) {
          start = gridAtOrAfter(block.to + before + span.offset, step) - span.offset;
          continue;
        }
        if (!isFull(start)) slots.push({ from: start, to: start + duration });
        start = gridAtOrAfter(start + 1 + span.offset, step) - span.offset;
      }
    }
  }
  return slots;
}
