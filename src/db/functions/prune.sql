-- Deletes at most p_limit rows of a table that nothing reads any more, and returns how many. Rows that somebody works on are left for the next time.
-- What is kept how long is said on each table (migrations/0012); whoever refers to a row goes before it.
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
        -- The answer to a repeated request is read from the hold, so holds outlive the keys; those of offers belong to the offer.
        delete from hold where hold_id in (
          select hold_id from hold h
          where expires_at < now() - interval '7 days'
            and not exists (select from reservation r where r.hold_id = h.hold_id)
            and not exists (select from offer o where o.clinic_id = h.clinic_id and o.hold_id = h.hold_id)
          limit p_limit for update skip locked);
      when 'outbox' then
        delete from outbox where outbox_id in (
          select outbox_id from outbox
          where done_at < now() - interval '7 days' or parked_reason is not null and created_at < now() - interval '90 days'
          limit p_limit for update skip locked);
      when 'round_candidate' then
        delete from round_candidate where candidate_id in (
          select candidate_id from waitlist_round r join round_candidate o using (round_id)
          where r.state <> 'OPEN' and r.closed_at < now() - interval '90 days' limit p_limit for update of o skip locked);
      when 'waitlist_round' then
        delete from waitlist_round where round_id in (
          select round_id from waitlist_round r
          where state <> 'OPEN' and closed_at < now() - interval '90 days'
            and not exists (select from round_candidate o where o.round_id = r.round_id)
            and not exists (select from reservation v where v.round_id = r.round_id)
          limit p_limit for update skip locked);
      when 'waitlist_entry' then
        delete from waitlist_entry where entry_id in (
          select entry_id from waitlist_entry e
          where status <> 'WAITING' and updated_at < now() - interval '365 days'
            and not exists (select from round_candidate o where o.clinic_id = e.clinic_id and o.entry_id = e.entry_id)
          limit p_limit for update skip locked);
      when 'replay_item' then
        delete from replay_item where ctid in (
          select i.ctid from replay r join replay_item i using (replay_id)
          where r.finished_at < now() - interval '90 days' limit p_limit for update of i skip locked);
      when 'replay' then
        delete from replay where replay_id in (
          select replay_id from replay r
          where finished_at < now() - interval '90 days' and not exists (select from replay_item i where i.replay_id = r.replay_id)
          limit p_limit for update skip locked);
      when 'ehr_sync_item' then
        delete from ehr_sync_item where ctid in (
          select i.ctid from ehr_sync_run r join ehr_sync_item i using (run_id)
          where r.finished_at < now() - interval '90 days' limit p_limit for update of i skip locked);
      when 'ehr_sync_run' then
        delete from ehr_sync_run where run_id in (
          select run_id from ehr_sync_run r
          where finished_at < now() - interval '90 days' and not exists (select from ehr_sync_item i where i.run_id = r.run_id)
          limit p_limit for update skip locked);
      when 'delivery_attempt' then
        delete from delivery_attempt where ctid in (
          select ctid from delivery_attempt where started_at < now() - interval '90 days' limit p_limit for update skip locked);
    end case;
    get diagnostics gone = row_count;
    return gone;
  end $$;
grant execute on function prune(text, integer) to mediconnect_relay;
