-- Is something open about the visit: an offer, an item of a sick day, a call? Whoever changes that takes the visit's row first.
create or replace function has_claims(p_appointment uuid) returns boolean language sql volatile as $$
  select exists (select from offer where appointment_id = p_appointment and state = 'OPEN')
    or exists (select from sick_day_item where appointment_id = p_appointment and is_unresolved)
    or exists (select from task where appointment_id = p_appointment and kind = 'call' and state = 'OPEN')
$$;
grant execute on function has_claims(uuid) to mediconnect_app;
