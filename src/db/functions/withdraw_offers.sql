-- Takes back those of the offers that are open: their times are everybody's again. With p_event whoever has made them is told.
create or replace function withdraw_offers(p_offers uuid[], p_event text, p_act jsonb) returns void language sql volatile as $$
  with closed as (
    update offer set state = 'WITHDRAWN' where offer_id = any(p_offers) and state = 'OPEN' returning clinic_id, hold_id, sick_day_id
  ), freed as (
    delete from reservation r using closed c where r.hold_id = c.hold_id
  ), released as (
    update hold h set state = 'RELEASED' from closed c where h.hold_id = c.hold_id
  ), told as (
    insert into outbox (clinic_id, aggregate, aggregate_id, event, request_id)
    select clinic_id, 'sick_day', sick_day_id, p_event, p_act ->> 'requestId' from closed where p_event is not null and sick_day_id is not null
  )
  insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id)
    select clinic_id, 'hold', hold_id, 'released', p_act ->> 'actorKind', p_act ->> 'actorId', p_act ->> 'requestId' from closed
$$;
grant execute on function withdraw_offers(uuid[], text, jsonb) to mediconnect_app;
