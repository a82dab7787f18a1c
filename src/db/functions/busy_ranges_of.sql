-- As busy_ranges, of many at once and for a clinic only: ids in, times and purposes out.
create or replace function busy_ranges_of(p_resources uuid[], p_during tstzrange)
  returns table (resource_id uuid, from_time timestamptz, to_time timestamptz, purpose text, visit_start timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select asked.resource_id, lower(r.during), upper(r.during), r.purpose, coalesce(r.visit_start, lower(r.during))
    from unnest(p_resources) as asked (resource_id) cross join lateral (
      select during, purpose, visit_start from reservation
      where reservation.resource_id = asked.resource_id and during && p_during and (expires_at is null or expires_at > now())
        and current_clinic() is not null
    ) r
  $$;
grant execute on function busy_ranges_of(uuid[], tstzrange) to mediconnect_app;
