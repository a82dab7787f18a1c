create or replace function clinic_of_task(p_task uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from task where task_id = p_task $$;
grant execute on function clinic_of_task(uuid) to mediconnect_app;
