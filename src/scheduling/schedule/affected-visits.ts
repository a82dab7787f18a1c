import {
  countUpcomingDuring,
  lastUpcoming,
  upcomingVisits,
  upcomingVisitsDuring,
  type UpcomingVisit,
} from '../../db/booked-visits.ts';
import type { Tx } from '../../db/connection.ts';
import { closuresAhead } from '../../db/schedule-rules.ts';
import { loadProviderSchedule, loadProviderSchedules } from '../../db/schedules.ts';
import { closedTimes, type Closure, type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { DAY_MS } from '../../domain/clock.ts';
import { AppError } from '../../domain/errors.ts';
import {
  affectedBy,
  affectedByClosures,
  reachOf,
  type Affected,
  type ScheduleChange,
} from '../../domain/schedule-change.ts';
import { localDate } from '../../domain/time-zone.ts';

export type AffectedVisit = Affected<UpcomingVisit>;

/** What can happen to the schedule of one provider alone. */
export type ProviderChange = Exclude<ScheduleChange, { kind: 'closures' | 'zone' }>;
/** What can happen to the schedules of a whole clinic. */
export type ClinicChange = Extract<ScheduleChange, { kind: 'closures' | 'zone' }>;

/**
 * The visits to come that a change of one provider's schedule affects, before it is written. A preview asks it and writes nothing; a door asks it under
 * the provider's lock: one and the same answer.
 * @throws AppError `not_found` when the context sees no such provider
 */
export async function affectedOfProvider(
  tx: Tx,
  providerId: string,
  change: ProviderChange,
  now: Date,
): Promise<{ readonly schedule: ProviderSchedule; readonly affected: AffectedVisit[] }> {
  const schedule = await loadProviderSchedule(tx, providerId);
  if (schedule === undefined) throw new AppError('not_found');
  const whose = { clinicId: schedule.clinicId, providerId };
  const visits = await upcomingVisits(tx, whose, now, reachOf(change, schedule.timeZone));
  return { schedule, affected: affectedBy(schedule, change, visits) };
}

export interface AffectedOfClinic {
  readonly timeZone: string;
  /** Earliest first. */
  readonly affected: AffectedVisit[];
}

/** As {@link affectedOfProvider}, of every provider of the clinic: under the clinic's lock. @throws AppError `not_found` */
export async function affectedOfClinic(
  tx: Tx,
  clinicId: string,
  change: ClinicChange,
  now: Date,
): Promise<AffectedOfClinic> {
  const clinic = await tx.selectFrom('clinic').select('time_zone').where('clinic_id', '=', clinicId).executeTakeFirst();
  if (clinic === undefined) throw new AppError('not_found');
  const timeZone = clinic.time_zone;
  const affected =
    change.kind === 'closures'
      ? await closedOut(tx, { clinicId, timeZone, closures: change.closures }, now)
      : await movedOut(tx, clinicId, change, now);
  return { timeZone, affected };
}

interface ClosuresOfClinic {
  readonly clinicId: string;
  readonly timeZone: string;
  readonly closures: readonly Closure[];
}

/** Only visits that meet a new closure are read, and no provider's rules. */
async function closedOut(tx: Tx, of: ClosuresOfClinic, now: Date): Promise<AffectedVisit[]> {
  const times = await closingTimes(tx, of, now);
  if (times === undefined) return [];
  return affectedByClosures(await upcomingVisitsDuring(tx, of.clinicId, now, times.closed), times.closedBefore);
}

/** How many visits new closures affect, before they are written: for whoever makes the clinic wait. */
export async function countClosedOut(tx: Tx, of: ClosuresOfClinic, now: Date): Promise<number> {
  const times = await closingTimes(tx, of, now);
  return times === undefined ? 0 : countUpcomingDuring(tx, of.clinicId, now, times.closed, times.closedBefore);
}

/** When the new closures close the clinic, as far ahead as there are visits, and when it is closed already. */
async function closingTimes(tx: Tx, { clinicId, timeZone, closures }: ClosuresOfClinic, now: Date) {
  const last = closures.length === 0 ? undefined : await lastUpcoming(tx, clinicId, now);
  if (last === undefined) return undefined;
  const ahead = { from: now.getTime(), to: last + DAY_MS };
  const before = await closuresAhead(tx, clinicId, localDate(timeZone, now.getTime()));
  return {
    closed: closedTimes({ timeZone, closures }, ahead),
    closedBefore: closedTimes({ timeZone, closures: before }, ahead),
  };
}

/** Another zone moves the hours of every day. */
async function movedOut(tx: Tx, clinicId: string, change: ClinicChange, now: Date): Promise<AffectedVisit[]> {
  const everything = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const visits = await upcomingVisits(tx, { clinicId }, now, everything);
  const byProvider = new Map<string, UpcomingVisit[]>();
  for (const visit of visits) {
    const others = byProvider.get(visit.providerId);
    if (others === undefined) byProvider.set(visit.providerId, [visit]);
    else others.push(visit);
  }
  const schedules = await loadProviderSchedules(tx, [...byProvider.keys()]);
  return schedules
    .flatMap((schedule) => affectedBy(schedule, change, byProvider.get(schedule.providerId) ?? []))
    .sort((a, b) => a.from - b.from);
}
