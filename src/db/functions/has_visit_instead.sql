-- Has whoever waits a visit ahead that fulfils the wish: with the provider, or with one of the specialty? A visit that a sick day has yet to see to does
-- not: it cannot take place.
create or replace function has_visit_instead(p_entry uuid) returns boolean language sql stable as $$
  select exists (
    select from waitlist_entry e join appointment a on a.clinic_id = e.clinic_id and a.patient_id = e.patient_id
      join provider p on p.provider_id = a.provider_id
    where e.entry_id = p_entry and a.status = 'SCHEDULED' and a.appointment_time > now()
      and (a.provider_id = e.provider_id or lower(p.specialty) = lower(e.specialty))
      and not exists (select from sick_day_item i where i.appointment_id = a.appointment_id and i.is_unresolved))
$$;
grant execute on function has_visit_instead(uuid) to mediconnect_app;
