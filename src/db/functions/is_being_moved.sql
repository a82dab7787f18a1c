-- Does somebody see to the visit: a sick day that goes on, or a call that the desk has still to make? A sick day from whose absence it has been moved
-- away has nothing to do with it any more.
create or replace function is_being_moved(p_appointment uuid) returns boolean language sql stable as $$
  select exists (select from sick_day_item i where i.appointment_id = p_appointment and i.is_open and resolved_how(p_appointment, i.sick_day_id) is null)
    or exists (select from task t where t.appointment_id = p_appointment and t.kind = 'call' and t.state = 'OPEN'
      and t.sick_day_id is not null and resolved_how(p_appointment, t.sick_day_id) is null)
$$;
grant execute on function is_being_moved(uuid) to mediconnect_app;
