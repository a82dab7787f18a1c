import { sql } from 'kysely';
import type { Connection } from '../../src/db/connection.ts';

export interface ManyVisits {
  readonly clinicId: string;
  /** Each has 16 visits of half an hour a day, from 08:00 in `timeZone`. */
  readonly providerIds: readonly string[];
  /** At least as many as providers, registered: each has one visit at a time. */
  readonly patientIds: readonly string[];
  readonly timeZone: string;
  readonly count: number;
  /** Days from today of the first visit: past ones are completed and known to the EHR, those ahead have their plan and their reservations. */
  readonly fromDay: number;
  /** False: those ahead have no reservations, which take most of the time. */
  readonly isReserved?: boolean;
}

/** Writes visits by the hundred thousand, in one statement each table, as the owner or a superuser: the doors would take an hour. Returns the day after the last. */
export async function manyVisits(owner: Connection, given: ManyVisits): Promise<number> {
  const { clinicId, providerIds, patientIds, timeZone, count, fromDay } = given;
  const isPast = fromDay < 0;
  await owner.db.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx);
    // A superuser spares itself the look at what each row refers to, which would take most of the time.
    await sql`select set_config('session_replication_role', 'replica', true) from pg_roles where rolname = current_user and rolsuper`.execute(
      tx,
    );
    // Ids of version 7, as ours are, from the time at which each may have been booked.
    await sql`
      create temporary table many on commit drop as
      select *, (lpad(to_hex((extract(epoch from start - interval '30 days') * 1000)::bigint), 12, '0')
        || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid as id
      from (
        select i, (${providerIds}::uuid[])[1 + i % ${providerIds.length}] as provider_id,
          (${patientIds}::uuid[])[1 + i % ${patientIds.length}] as patient_id,
          ((current_date + ${fromDay}::integer + (i / ${providerIds.length} / 16)::integer) + time '08:00'
            + i / ${providerIds.length} % 16 * interval '30 minutes') at time zone ${timeZone} as start
        from generate_series(0, ${count}::integer - 1) as i
      ) planned`.execute(tx);
    await sql`
      insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
          booked_via, policy_version, created_at, next_action, next_action_at, ehr_version)
        select id, patient_id, provider_id, ${clinicId}, start, 30, ${isPast ? 'COMPLETED' : 'SCHEDULED'},
          lpad(to_hex(i + (select count(*) from appointment where clinic_id = ${clinicId})), 6, '0'), 'api',
          (select policy_version from clinic where clinic_id = ${clinicId}), start - interval '30 days',
          ${isPast ? null : 'reminder:P1D'}::text, case when not ${isPast}::boolean then start - interval '1 day' end, 1
        from many order by start, i`.execute(tx);
    if (!isPast && given.isReserved !== false) {
      await sql`
        insert into reservation (clinic_id, resource_id, during, purpose, appointment_id)
          select ${clinicId}, resource_id, tstzrange(start, start + interval '30 minutes'), 'APPOINTMENT', id
          from many, lateral (values (provider_id), (patient_id)) as resource (resource_id)`.execute(tx);
    }
  });
  await sql`analyze`.execute(owner.db);
  return fromDay + Math.ceil(count / providerIds.length / 16);
}
