create or replace function clinic_of_sick_day(p_sick_day uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from sick_day where sick_day_id = p_sick_day $$;
grant execute on function clinic_of_sick_day(uuid) to mediconnect_app;
