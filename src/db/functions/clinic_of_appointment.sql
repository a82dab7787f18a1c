create or replace function clinic_of_appointment(p_appointment uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from appointment where appointment_id = p_appointment $$;
grant execute on function clinic_of_appointment(uuid) to mediconnect_app;
