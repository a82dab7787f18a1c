-- One provider of the clinic, or all, or those of a specialty: the versions of their rules and when they are busy, as of one moment. Busy times are
-- [from, to, purpose, visit's start] in epoch milliseconds. No row: no such clinic; one of nulls: no such provider. It sets its own context: one
-- round trip. A clinic has few providers: specialties need no index.
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
        select b.resource_id, json_agg(json_build_array(floor(extract(epoch from b.from_time) * 1000),
          ceil(extract(epoch from b.to_time) * 1000), b.purpose, floor(extract(epoch from b.visit_start) * 1000))) as ranges
        from busy_ranges_of(array(select asked.provider_id from asked), p_during) b group by b.resource_id
      )
      select asked.provider_id, asked.schedule_version, c.policy_version, coalesce(busy.ranges, '[]')
      from clinic c left join asked on true left join busy on busy.resource_id = asked.provider_id
      where c.clinic_id = p_clinic;
  end $$;
grant execute on function provider_times(uuid, uuid, text, tstzrange) to mediconnect_app;
