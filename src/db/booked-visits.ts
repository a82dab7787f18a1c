import { sql, type RawBuilder } from 'kysely';
import type { Interval } from '../domain/interval.ts';
import { DAY_MS } from '../domain/clock.ts';
import type { Tx } from './connection.ts';

/** A visit that is still to come. */
export interface UpcomingVisit {
  readonly appointmentId: string;
  readonly patientId: string;
  readonly providerId: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly durationMinutes: number;
}

/**
 * The scheduled visits after `now` that can touch `reach` (epoch milliseconds), earliest first: of one provider, or of the whole clinic.
 * Whoever changes a schedule holds the lock under which they are booked.
 */
export async function upcomingVisits(
  tx: Tx,
  whose: { readonly clinicId: string; readonly providerId?: string },
  now: Date,
  reach: Interval,
): Promise<UpcomingVisit[]> {
  let query = tx
    .selectFrom('appointment')
    .select(['appointment_id', 'patient_id', 'provider_id', 'appointment_time', 'duration_minutes'])
    .where('clinic_id', '=', whose.clinicId)
    .where('status', '=', 'SCHEDULED')
    // No visit is longer than a day.
    .where('appointment_time', '>', new Date(Math.max(now.getTime(), reach.from - DAY_MS)))
    .orderBy('appointment_time')
    .orderBy('appointment_id');
  if (whose.providerId !== undefined) query = query.where('provider_id', '=', whose.providerId);
  if (Number.isFinite(reach.to)) query = query.where('appointment_time', '<', new Date(reach.to));
  return (await query.execute()).map(upcomingVisit);
}

/** When the last of a clinic's scheduled visits begins; undefined when none is to come. Epoch milliseconds. */
export async function lastUpcoming(tx: Tx, clinicId: string, now: Date): Promise<number | undefined> {
  const last = await tx
    .selectFrom('appointment')
    .select('appointment_time')
    .where('clinic_id', '=', clinicId)
    .where('status', '=', 'SCHEDULED')
    .where('appointment_time', '>', now)
    .orderBy('appointment_time', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.appointment_time.getTime();
}

/**
 * The scheduled visits of a clinic after `now` that meet any of these times, earliest first, each once. One look into the index for each time, so what
 * lies between them costs nothing.
 */
export async function upcomingVisitsDuring(
  tx: Tx,
  clinicId: string,
  now: Date,
  times: readonly Interval[],
): Promise<UpcomingVisit[]> {
  if (times.length === 0) return [];
  const { rows } =
    await sql<VisitRow>`${during(clinicId, now, times)} order by appointment_time, appointment_id`.execute(tx);
  return rows.map(upcomingVisit);
}

/** How many visits of {@link upcomingVisitsDuring} meet none of the times `but`: counted where they are, as the clinic waits meanwhile. */
export async function countUpcomingDuring(
  tx: Tx,
  clinicId: string,
  now: Date,
  times: readonly Interval[],
  but: readonly Interval[],
): Promise<number> {
  if (times.length === 0) return 0;
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from (${during(clinicId, now, times)}) visit
    where not exists (
      select from ${timesOf(but)} as other (from_time, to_time)
      where visit.appointment_time < other.to_time
        and visit.appointment_time + visit.duration_minutes * interval '1 minute' > other.from_time)`.execute(tx);
  return rows[0]?.count ?? 0;
}

function during(clinicId: string, now: Date, times: readonly Interval[]): RawBuilder<VisitRow> {
  return sql<VisitRow>`
    select distinct met.*
    from ${timesOf(times)} as during (from_time, to_time)
    cross join lateral (
      select appointment_id, patient_id, provider_id, appointment_time, duration_minutes
      from appointment
      where clinic_id = ${clinicId} and status = 'SCHEDULED'
        -- No visit is longer than a day.
        and appointment_time > greatest(${now}::timestamptz, during.from_time - interval '1 day')
        and appointment_time < during.to_time
        and appointment_time + duration_minutes * interval '1 minute' > during.from_time
      -- A fence: flattened, it would be a pass over every visit for each of the times.
      offset 0
    ) met`;
}

function timesOf(times: readonly Interval[]): RawBuilder<unknown> {
  return sql`unnest(${times.map(({ from }) => new Date(from))}::timestamptz[], ${times.map(({ to }) => new Date(to))}::timestamptz[])`;
}

interface VisitRow {
  readonly appointment_id: string;
  readonly patient_id: string;
  readonly provider_id: string;
  readonly appointment_time: Date;
  readonly duration_minutes: number;
}

function upcomingVisit(row: VisitRow): UpcomingVisit {
  return {
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    providerId: row.provider_id,
    from: row.appointment_time.getTime(),
    durationMinutes: row.duration_minutes,
  };
}
