-- Has the message about the offer failed?
create or replace function offer_was_not_told(p_offer uuid) returns boolean language sql stable as $$
  select exists (select from notification where offer_id = p_offer and state = 'FAILED')
$$;
grant execute on function offer_was_not_told(uuid) to mediconnect_app;
