-- Can the offer still be answered? Both clocks, p_now and the database's, are before its end.
create or replace function offer_is_live(p_state text, p_expires timestamptz, p_now timestamptz) returns boolean language sql stable as $$
  select p_state = 'OPEN' and p_expires > greatest(now(), p_now)
$$;
grant execute on function offer_is_live(text, timestamptz, timestamptz) to mediconnect_app;
