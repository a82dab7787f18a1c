create or replace function clinic_of_provider(p_provider uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from provider where provider_id = p_provider $$;
grant execute on function clinic_of_provider(uuid) to mediconnect_app;
