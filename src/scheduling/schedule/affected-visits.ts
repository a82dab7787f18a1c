import { upcomingVisits, type UpcomingVisit } from '../../db/booked-visits.ts';
import type { Tx } from '../../db/connection.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import type { ProviderSchedule } from '../../domain/availability/schedule.ts';
import { AppError } from '../../domain/errors.ts';
import { affectedBy, reachOf, type Affected, type ScheduleChange } from '../../domain/schedule-change.ts';

export type AffectedVisit = Affected<UpcomingVisit>;

/**
 * The visits to come that a change of one provider's schedule affects, before it is written. A preview asks it and writes nothing; a door asks it under
 * the provider's lock: one and the same answer.
 * @throws AppError `not_found` when the context sees no such provider
 */
export async function affectedOfProvider(
  tx: Tx,
  providerId: string,
  change: ScheduleChange,
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

/** As {@link affectedOfProvider}, of every provider of the clinic: for closures, under the clinic's lock. @throws AppError `not_found` */
export async function affectedOfClinic(
  tx: Tx,
  clinicId: string,
  change: Extract<ScheduleChange, { kind: 'closures' }>,
  now: Date,
): Promise<AffectedOfClinic> {
  const clinic = await tx.selectFrom('clinic').select('time_zone').where('clinic_id', '=', clinicId).executeTakeFirst();
  if (clinic === undefined) throw new AppError('not_found');
  const visits = await upcomingVisits(tx, { clinicId }, now, reachOf(change, clinic.time_zone));
  const affected: AffectedVisit[] = [];
  for (const providerId of new Set(visits.map((visit) => visit.providerId))) {
    const schedule = await loadProviderSchedule(tx, providerId);
    if (schedule === undefined) throw new AppError('internal_error');
    affected.push(
      ...affectedBy(
        schedule,
        change,
        visits.filter((visit) => visit.providerId === providerId),
      ),
    );
  }
  return { timeZone: clinic.time_zone, affected: affected.sort((a, b) => a.from - b.from) };
}
