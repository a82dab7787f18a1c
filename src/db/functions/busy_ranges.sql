-- `&&` is not leakproof, so row-level security would keep it out of the index: hence a function that sees past it, and gives times and purposes only:
-- a provider's to everybody who may search, a patient's to a clinic or to the patient.
-- In plpgsql, which keeps its plan for the session: a function in SQL that cannot be inlined is planned at each call, and each booking calls it three times.
create or replace function busy_ranges(p_resource uuid, p_during tstzrange)
  returns table (from_time timestamptz, to_time timestamptz, purpose text, visit_start timestamptz)
  language plpgsql stable security definer set search_path = public, pg_temp
  as $$
  begin
    return query
      select lower(r.during), upper(r.during), r.purpose, coalesce(r.visit_start, lower(r.during)) from reservation r
      where r.resource_id = p_resource and r.during && p_during and (r.expires_at is null or r.expires_at > now())
        and (current_clinic() is not null or p_resource = current_patient() or exists (select from provider where provider_id = p_resource))
      order by lower(r.during);
  end $$;
grant execute on function busy_ranges(uuid, tstzrange) to mediconnect_app;
