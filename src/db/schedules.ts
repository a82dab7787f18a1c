import { sql } from 'kysely';
import type { ProviderSchedule } from '../domain/availability/schedule.ts';
import type { ClinicPolicy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';

/** A provider's schedule with the clinic's whole policy. */
export interface LoadedSchedule extends ProviderSchedule {
  readonly policy: ClinicPolicy;
}

/**
 * Everything the availability rules read of one provider; undefined when the context does not see the provider. What is over is left out.
 * @param asOf - a moment of the past whose rules are wanted too
 */
export async function loadProviderSchedule(
  tx: Tx,
  providerId: string,
  asOf?: Date,
): Promise<LoadedSchedule | undefined> {
  return (await loadProviderSchedules(tx, [providerId], asOf))[0];
}

/** As {@link loadProviderSchedule}, of many in one statement, in no order; without those that the context does not see. */
export async function loadProviderSchedules(
  tx: Tx,
  providerIds: readonly string[],
  asOf?: Date,
): Promise<LoadedSchedule[]> {
  const since = sql`least(now(), ${asOf ?? null}::timestamptz)`;
  const { rows } = await sql<ScheduleRow>`
    select p.provider_id, p.clinic_id, p.schedule_version, p.max_daily_appointments, c.time_zone, c.policy, c.policy_version,
      coalesce((select json_agg(json_build_object('dayOfWeek', a.day_of_week, 'startTime', a.start_time, 'endTime', a.end_time)
        order by a.day_of_week, a.start_time) from availability a where a.provider_id = p.provider_id), '[]') as weekly,
      coalesce((select json_agg(json_build_object('dayOfWeek', b.day_of_week, 'startTime', b.start_time, 'endTime', b.end_time)
        order by b.day_of_week, b.start_time) from provider_break b where b.provider_id = p.provider_id), '[]') as breaks,
      coalesce((select json_agg(json_strip_nulls(json_build_object('date', o.date, 'startTime', o.start_time, 'endTime', o.end_time))
        order by o.date, o.start_time) from availability_override o where o.provider_id = p.provider_id and o.date >= ${since}::date - 2), '[]') as overrides,
      coalesce((select json_agg(json_build_object('fromDate', k.from_date, 'toDate', k.to_date, 'name', k.name, 'yearly', k.yearly)
        order by k.from_date) from closure k where k.clinic_id = p.clinic_id and (k.yearly or k.to_date >= ${since}::date - 2)), '[]') as closures,
      coalesce((select json_agg(json_build_object('from', round(extract(epoch from lower(t.during)) * 1000),
        'to', round(extract(epoch from upper(t.during)) * 1000)) order by t.during)
        from time_off t where t.provider_id = p.provider_id and upper(t.during) > ${since} - interval '2 days'), '[]') as time_off
    from provider p join clinic c using (clinic_id)
    where p.provider_id = any(${providerIds})`.execute(tx);
  return rows.map((row) => ({
    providerId: row.provider_id,
    clinicId: row.clinic_id,
    timeZone: row.time_zone,
    scheduleVersion: row.schedule_version,
    policyVersion: row.policy_version,
    maxDailyAppointments: row.max_daily_appointments,
    weekly: row.weekly,
    breaks: row.breaks,
    overrides: row.overrides,
    closures: row.closures,
    timeOff: row.time_off,
    policy: row.policy,
  }));
}

interface ScheduleRow {
  provider_id: string;
  clinic_id: string;
  schedule_version: number;
  max_daily_appointments: number;
  time_zone: string;
  policy: ClinicPolicy;
  policy_version: number;
  weekly: ProviderSchedule['weekly'];
  breaks: ProviderSchedule['breaks'];
  overrides: ProviderSchedule['overrides'];
  closures: ProviderSchedule['closures'];
  time_off: ProviderSchedule['timeOff'];
}
