-- What somebody has done about a visit that a sick day hits; null while that is still to be done, as it is booked in the absence.
create or replace function resolved_how(p_appointment uuid, p_sick_day uuid) returns text language sql stable as $$
  select case
    when a.status = 'CANCELLED' then 'cancelled'
    when d.provider_id <> a.provider_id or d.to_time <= a.appointment_time
      or d.from_time >= a.appointment_time + make_interval(mins => a.duration_minutes) then 'moved'
    when a.status <> 'SCHEDULED' or a.checked_in_at is not null then 'begun'
  end
  from appointment a, sick_day d where a.appointment_id = p_appointment and d.sick_day_id = p_sick_day
$$;
grant execute on function resolved_how(uuid, uuid) to mediconnect_app;
