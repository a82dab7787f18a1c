create or replace function clinic_of_hold(p_hold uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from hold where hold_id = p_hold $$;
grant execute on function clinic_of_hold(uuid) to mediconnect_app;
