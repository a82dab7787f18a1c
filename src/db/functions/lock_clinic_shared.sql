create or replace function lock_clinic_shared(p_clinic uuid) returns void language sql volatile
  as $$ select pg_advisory_xact_lock_shared(hashtextextended('clinic:' || p_clinic, 0)) $$;
grant execute on function lock_clinic_shared(uuid) to mediconnect_app;
