create or replace function lock_resource(p_resource uuid) returns void language sql volatile
  as $$ select pg_advisory_xact_lock(hashtextextended('resource:' || p_resource, 0)) $$;
grant execute on function lock_resource(uuid) to mediconnect_app;
