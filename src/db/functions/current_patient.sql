-- See current_clinic.
create or replace function current_patient() returns uuid language sql stable parallel safe
  as $$ select nullif(current_setting('app.patient_id', true), '')::uuid $$;
grant execute on function current_patient() to mediconnect_app, mediconnect_relay;
