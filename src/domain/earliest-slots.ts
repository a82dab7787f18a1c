import { type BusyTime } from './availability/judge.ts';
import { type ProviderSchedule } from './availability/schedule.ts';
import { availableSlotsInRange } from './availability/search.ts';
import type { Interval } from './interval.ts';
import { addDays } from './time-zone.ts';

/** A provider's rules, and the live reservations that touch the time in question: both as of one moment. */
export interface ProviderTime {
  readonly schedule: ProviderSchedule;
  readonly busy: readonly BusyTime[];
}

export interface ProviderSlot extends Interval {
  readonly providerId: string;
}

export interface EarliestSearch {
  /** First and last ISO date in the clinic's zone, both included. */
  readonly fromDate: string;
  readonly toDate: string;
  readonly durationMinutes: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** How many slots at most. */
  readonly limit: number;
}

/**
 * The first slots of any of one clinic's providers; those at the same time in the order of the providers' ids.
 *
 * A few dates are searched first, then twice as many each time: most clinics have something soon, and all dates of all providers are searched
 * only where there is nothing.
 */
export function earliestSlots(providers: readonly ProviderTime[], search: EarliestSearch): ProviderSlot[] {
  const { toDate, limit } = search;
  let found: ProviderSlot[] = [];
  let fromDate = search.fromDate;
  for (let dates = 1; fromDate <= toDate && found.length < limit; dates *= 2) {
    const last = addDays(fromDate, dates - 1);
    found = found.concat(slotsOf(providers, { ...search, fromDate, toDate: last < toDate ? last : toDate }));
    fromDate = addDays(last, 1);
  }
  return found.slice(0, limit);
}

function slotsOf(providers: readonly ProviderTime[], search: EarliestSearch): ProviderSlot[] {
  return providers
    .flatMap((provider) => {
      const { providerId } = provider.schedule;
      const { slots } = availableSlotsInRange({ ...search, ...provider });
      return slots.slice(0, search.limit).map((slot) => ({ providerId, ...slot }));
    })
    .sort((a, b) => a.from - b.from || (a.providerId < b.providerId ? -1 : 1));
}
