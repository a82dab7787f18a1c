-- See current_clinic.
create or replace function current_caller() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('app.caller', true), '') $$;
grant execute on function current_caller() to mediconnect_app, mediconnect_relay;
