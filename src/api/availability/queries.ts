import type pg from 'pg';
import { queryNamed } from '../../db/connection.ts';
import { range } from '../../db/look-ups.ts';
import { type ReservationPurpose } from '../../domain/availability/judge.ts';
import { busyRange } from '../../domain/availability/search.ts';
import type { ProviderTime } from '../../domain/earliest-slots.ts';
import { AppError } from '../../domain/errors.ts';
import type { Interval } from '../../domain/interval.ts';
import { DAY_MS, MINUTE_MS } from '../../domain/clock.ts';
import { utcMidnight } from '../../domain/time-zone.ts';
import type { ProviderSchedules } from '../../scheduling/provider-schedules.ts';
import type { ReadDeps } from '../read.ts';

/** Of one clinic: one provider, those of a specialty, or everybody. */
interface ProvidersAsked {
  readonly providerId?: string | undefined;
  readonly specialty?: string | undefined;
}

interface DatesAsked {
  /** First and last ISO date in the clinic's zone, both included. */
  readonly fromDate: string;
  readonly toDate: string;
  readonly durationMinutes: number;
}

const PROVIDER_TIMES = {
  name: 'provider_times',
  text: 'select provider_id, schedule_version, policy_version, busy from provider_times($1, $2, $3, $4)',
};
const TRIES = 5;

/**
 * The rules of providers and when they are busy: times, never whose. One round trip when their rules are known: the statement reads their versions
 * together with the busy times, and rules of another version are read anew. So rules and times are those of one moment, and a slot offered by them
 * could be booked then.
 *
 * @returns undefined when there is no such clinic
 * @throws AppError `temporarily_unavailable` when the rules change faster than they can be read
 */
export async function providerTimes(
  pool: pg.Pool,
  schedules: ProviderSchedules,
  clinicId: string,
  providers: ProvidersAsked,
  dates: DatesAsked,
): Promise<ProviderTime[] | undefined> {
  let during = inAnyZone(dates);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const rows = await queryNamed<ProviderTimesRow>(pool, PROVIDER_TIMES, [
      clinicId,
      providers.providerId ?? null,
      providers.specialty ?? null,
      range(during.from, during.to),
    ]);
    if (rows.length === 0) return undefined;
    const found = rows.flatMap((row) =>
      row.provider_id === null
        ? []
        : [
            {
              providerId: row.provider_id,
              scheduleVersion: row.schedule_version,
              policyVersion: row.policy_version,
              busy: row.busy.map(([from, to, purpose, visitFrom]) => ({ from, to, purpose, visitFrom })),
            },
          ],
    );
    const known = await schedules.ofVersions(clinicId, found);
    const times = found.flatMap(({ providerId, busy }) => {
      const schedule = known.get(providerId);
      return schedule === undefined ? [] : [{ schedule, busy }];
    });
    const needed = times.map(({ schedule }) =>
      busyRange(schedule, dates.fromDate, dates.toDate, dates.durationMinutes),
    );
    if (times.length === found.length && needed.every((each) => isWithin(each, during))) return times;
    during = spanOf([during, ...needed]);
  }
  throw new AppError('temporarily_unavailable');
}

type ProviderTimesRow =
  | {
      readonly provider_id: string;
      readonly schedule_version: number;
      readonly policy_version: number;
      readonly busy: readonly (readonly [from: number, to: number, purpose: ReservationPurpose, visitFrom: number])[];
    }
  | { readonly provider_id: null };

/** The dates in whatever zone, with buffers of up to a day. */
function inAnyZone({ fromDate, toDate, durationMinutes }: DatesAsked): Interval {
  return {
    from: utcMidnight(fromDate) - 2 * DAY_MS,
    to: utcMidnight(toDate) + 2 * DAY_MS + durationMinutes * MINUTE_MS,
  };
}

function isWithin(inner: Interval, outer: Interval): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}

function spanOf(intervals: readonly Interval[]): Interval {
  return {
    from: Math.min(...intervals.map(({ from }) => from)),
    to: Math.max(...intervals.map(({ to }) => to)),
  };
}

export const availabilityReads = {
  providerTimes: (
    { connection, schedules }: ReadDeps,
    clinicId: string,
    providers: ProvidersAsked,
    dates: DatesAsked,
  ) => providerTimes(connection.pool, schedules, clinicId, providers, dates),
};
