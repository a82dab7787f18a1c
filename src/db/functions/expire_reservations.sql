create or replace function expire_reservations(p_resource uuid, p_during tstzrange) returns integer
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  declare removed integer;
  begin
    delete from reservation where resource_id = p_resource and expires_at <= now() and during && p_during;
    get diagnostics removed = row_count;
    return removed;
  end $$;
grant execute on function expire_reservations(uuid, tstzrange) to mediconnect_app;
