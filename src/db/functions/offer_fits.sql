-- Is the visit still as it was when the offer was made?
create or replace function offer_fits(p_offer uuid) returns boolean language sql stable as $$
  select o.appointment_version = a.version from offer o join appointment a using (appointment_id) where o.offer_id = p_offer
$$;
grant execute on function offer_fits(uuid) to mediconnect_app;
