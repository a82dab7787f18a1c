create or replace function lock_clinic(p_clinic uuid) returns void language sql volatile
  as $$ select pg_advisory_xact_lock(hashtextextended('clinic:' || p_clinic, 0)) $$;
grant execute on function lock_clinic(uuid) to mediconnect_app;
