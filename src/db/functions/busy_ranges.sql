-- `&&` is not leakproof, so row-level security would keep it out of the index: hence a function that sees past it, and gives times and purposes only:
-- a provider's to everybody who may search, a patient's to a clinic or to the patient.
create or replace function busy_ranges(p_resource uuid, p_during tstzrange)
  returns table (from_time timestamptz, to_time timestamptz, purpose text, visit_start timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select lower(during), upper(during), purpose, coalesce(visit_start, lower(during)) from reservation
    where resource_id = p_resource and during && p_during and (expires_at is null or expires_at > now())
      and (current_clinic() is not null or p_resource = current_patient() or exists (select from provider where provider_id = p_resource))
    order by lower(during)
  $$;
grant execute on function busy_ranges(uuid, tstzrange) to mediconnect_app;
