-- The visits of a sick day whose next step has its turn, and since when: nobody has taken them up, or their offer has run out, or the visit is no more as
-- it was when the offer was made, or the message about it has failed.
create or replace function due_items(p_sick_day uuid, p_now timestamptz)
  returns table (appointment_id uuid, visit_start timestamptz, due_since timestamptz) language sql stable as $$
  select i.appointment_id, i.visit_start,
    case when o.offer_id is not null and offer_fits(o.offer_id) and not offer_was_not_told(o.offer_id) then o.expires_at else i.updated_at end
  from sick_day_item i
    left join offer o on o.sick_day_id = i.sick_day_id and o.appointment_id = i.appointment_id and o.state = 'OPEN'
  where i.sick_day_id = p_sick_day and i.is_open
    and not (i.state = 'OFFERED' and o.offer_id is not null and offer_is_live(o.state, o.expires_at, p_now)
      and offer_fits(o.offer_id) and not offer_was_not_told(o.offer_id))
$$;
grant execute on function due_items(uuid, timestamptz) to mediconnect_app;
