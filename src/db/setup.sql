-- Run at each migrate, before anything else; safe to repeat.

-- The roles are cluster-wide, so another database's migration may have made them already; a deployment gives them LOGIN and a password.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['mediconnect_app', 'mediconnect_relay'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
end $$;

create extension if not exists btree_gist;

revoke all on schema public from public;
grant usage on schema public to mediconnect_app, mediconnect_relay;
-- For all schemas: a revoke for one schema cannot take back the global default.
alter default privileges revoke execute on functions from public;

-- What has run. It stays as long as the database.
create table if not exists migration (
  name text primary key,
  applied_at timestamptz not null default now()
);
-- Readiness asks.
grant select on migration to mediconnect_app, mediconnect_relay;
