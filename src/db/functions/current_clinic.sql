-- After a commit a transaction-local setting reads '' and not NULL, hence nullif. No context, no rows.
create or replace function current_clinic() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('app.clinic_id', true), '')::uuid $$;
grant execute on function current_clinic() to mediconnect_app, mediconnect_relay;
