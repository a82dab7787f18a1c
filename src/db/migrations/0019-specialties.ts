import { sql, type Kysely } from 'kysely';

/** The availability search finds a specialty whatever its capitals. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- As in 0014 but for how specialties are compared. A clinic has few providers: no index is needed.
    create or replace function provider_times(p_clinic uuid, p_provider uuid, p_specialty text, p_during tstzrange)
      returns table (provider_id uuid, schedule_version integer, policy_version integer, busy json)
      language plpgsql volatile
      as $$
      begin
        perform set_config('app.clinic_id', p_clinic::text, true);
        return query
          with asked as materialized (
            select p.provider_id, p.schedule_version from provider p
            where p.clinic_id = p_clinic and (p_provider is null or p.provider_id = p_provider)
              and (p_specialty is null or lower(p.specialty) = lower(p_specialty))
          ), busy as materialized (
            select b.resource_id, json_agg(json_build_array(
              floor(extract(epoch from b.from_time) * 1000), ceil(extract(epoch from b.to_time) * 1000), b.purpose)) as ranges
            from busy_ranges_of(array(select asked.provider_id from asked), p_during) b group by b.resource_id
          )
          select asked.provider_id, asked.schedule_version, c.policy_version, coalesce(busy.ranges, '[]')
          from clinic c left join asked on true left join busy on busy.resource_id = asked.provider_id
          where c.clinic_id = p_clinic;
      end $$;
  `.execute(db);
}
