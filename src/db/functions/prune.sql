-- Deletes at most p_limit rows of a table that nothing reads any more, and returns how many. Rows that somebody works on are left for the next time.
create or replace function prune(p_table text, p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  declare
    gone integer;
  begin
    case p_table
      when 'reservation' then
        -- A day's visits count against its limit until it ends, wherever the clinic is: after two days nobody asks. What has expired is nobody's.
        delete from reservation where reservation_id in (
          select reservation_id from reservation
          where upper(during) < now() - interval '2 days' or expires_at < now() - interval '1 hour'
          limit p_limit for update skip locked);
      when 'idempotency_key' then
        delete from idempotency_key where ctid in (
          select ctid from idempotency_key where created_at < now() - interval '3 days' limit p_limit for update skip locked);
      when 'hold' then
        -- The answer to a repeated request is read from the hold, so holds outlive the keys; those of move offers belong to the offer.
        delete from hold where hold_id in (
          select hold_id from hold h
          where expires_at < now() - interval '7 days'
            and not exists (select from reservation r where r.hold_id = h.hold_id)
            and not exists (select from move_offer o where o.clinic_id = h.clinic_id and o.hold_id = h.hold_id)
          limit p_limit for update skip locked);
      when 'outbox' then
        delete from outbox where outbox_id in (
          select outbox_id from outbox where done_at < now() - interval '7 days' limit p_limit for update skip locked);
    end case;
    get diagnostics gone = row_count;
    return gone;
  end $$;
grant execute on function prune(text, integer) to mediconnect_relay;
