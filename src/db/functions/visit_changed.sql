-- Whoever has changed a visit has answered what was open about it: offers are taken back; sick days, stopped ones too, have it off their lists, and the
-- desk its call, once it is cancelled, has been moved away or has begun. The visit's row is locked.
create or replace function visit_changed(p_appointment uuid, p_act jsonb) returns void language plpgsql volatile as $$
begin
  perform withdraw_offers(array(select offer_id from offer where appointment_id = p_appointment and state = 'OPEN'), 'visitChanged', p_act);
  -- Shared, as their steps do: whoever stops one of them meanwhile resolves all its items at once.
  perform from sick_day d join sick_day_item i using (sick_day_id)
    where i.appointment_id = p_appointment and i.is_unresolved order by d.sick_day_id for share of d;
  update sick_day_item set state = 'GONE', reason = resolved_how(p_appointment, sick_day_id)
    where appointment_id = p_appointment and is_unresolved and resolved_how(p_appointment, sick_day_id) is not null;
  with known as (
    select t.task_id, case
        when t.sick_day_id is not null then resolved_how(p_appointment, t.sick_day_id)
        when a.status = 'CANCELLED' then 'cancelled'
        when a.appointment_time <> t.visit_start then 'moved'
        when a.status <> 'SCHEDULED' or a.checked_in_at is not null then 'begun'
      end as how
    from task t join appointment a using (appointment_id)
    where t.appointment_id = p_appointment and t.kind = 'call' and t.state = 'OPEN'
  ), resolved as (
    update task t set state = 'RESOLVED', resolved_at = now(), resolved_by = p_act ->> 'actorId',
      outcome = case known.how when 'begun' then 'kept' else known.how end
    from known where t.task_id = known.task_id and known.how is not null
    returning t.clinic_id, t.task_id, t.outcome
  )
  insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
    select clinic_id, 'task', task_id, 'resolved', p_act ->> 'actorKind', p_act ->> 'actorId', p_act ->> 'requestId',
      jsonb_build_object('outcome', outcome, 'appointmentId', p_appointment)
    from resolved;
end $$;
grant execute on function visit_changed(uuid, jsonb) to mediconnect_app;
