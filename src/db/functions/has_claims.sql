-- Has a sick day, or the desk's list of calls, still something to do with the visit? Whoever changes that takes the visit's row first.
create or replace function has_claims(p_appointment uuid) returns boolean language sql volatile as $$
  select exists (select from move_offer where appointment_id = p_appointment and state = 'OPEN')
    or exists (select from sick_day_item where appointment_id = p_appointment and state in ('PENDING', 'OFFERED', 'STOPPED'))
    or exists (select from call_task where appointment_id = p_appointment and state = 'OPEN')
$$;
grant execute on function has_claims(uuid) to mediconnect_app;
