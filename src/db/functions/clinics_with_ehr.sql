create or replace function clinics_with_ehr() returns setof uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from ehr_connection order by clinic_id $$;
grant execute on function clinics_with_ehr() to mediconnect_app;
