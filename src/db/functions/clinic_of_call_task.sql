create or replace function clinic_of_call_task(p_call_task uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from call_task where call_task_id = p_call_task $$;
grant execute on function clinic_of_call_task(uuid) to mediconnect_app;
