import { sql, type Kysely } from 'kysely';

/**
 * The three roles and the row-level security context. The roles are cluster-wide, so another database's migration may have made them already;
 * a deployment gives them LOGIN and a password.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
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

    -- After a commit a transaction-local setting reads '' and not NULL, hence nullif. No context, no rows.
    create function current_clinic() returns uuid language sql stable parallel safe
      as $$ select nullif(current_setting('app.clinic_id', true), '')::uuid $$;
    create function current_patient() returns uuid language sql stable parallel safe
      as $$ select nullif(current_setting('app.patient_id', true), '')::uuid $$;
    create function current_caller() returns text language sql stable parallel safe
      as $$ select nullif(current_setting('app.caller', true), '') $$;
    grant execute on function current_clinic(), current_patient(), current_caller() to mediconnect_app, mediconnect_relay;
  `.execute(db);
}
