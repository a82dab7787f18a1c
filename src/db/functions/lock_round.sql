-- A round and, if it is given, a waiting entry under all the locks that filling it needs. Whoever has booked for themselves meanwhile waits no more.
create or replace function lock_round(p_clinic uuid, p_round uuid, p_entry uuid)
  returns table (round jsonb, is_kept boolean, is_waiting boolean) language plpgsql volatile as $$
begin
  perform lock_for_booking(p_clinic, array(select provider_id from waitlist_round where round_id = p_round),
    array(select patient_id from waitlist_entry where entry_id = p_entry));
  perform from waitlist_round where round_id = p_round for update;
  perform from waitlist_entry where entry_id = p_entry for update;
  return query select to_jsonb(r),
      exists (select from reservation where reservation.round_id = p_round and expires_at > now()),
      exists (select from waitlist_entry where entry_id = p_entry and status = 'WAITING' and not has_visit_instead(entry_id))
    from waitlist_round r where r.round_id = p_round;
end $$;
grant execute on function lock_round(uuid, uuid, uuid) to mediconnect_app;
