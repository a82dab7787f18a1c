-- Staff see their clinic's rows, patients their own. The owner only migrates; the application and relay roles own nothing and bypass nothing.

do $$
declare
  t text;
begin
  for t in select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration' loop
    execute format('alter table %I enable row level security', t);
  end loop;

  -- Tables that only the clinic sees.
  foreach t in array array['clinic_policy', 'availability', 'provider_break', 'availability_override', 'closure', 'time_off',
    'waitlist_round', 'reservation', 'round_candidate', 'notification', 'delivery_attempt', 'replay', 'replay_item', 'outbox', 'audit_event',
    'ehr_connection', 'ehr_link', 'ehr_sync_run', 'ehr_sync_item', 'hold', 'sick_day', 'sick_day_item', 'task', 'opt_out'] loop
    execute format('create policy clinic_rows on %I for all to mediconnect_app using (clinic_id = current_clinic())
      with check (clinic_id = current_clinic())', t);
  end loop;

  -- Tables of which a patient sees their own rows too.
  foreach t in array array['appointment', 'registration', 'waitlist_entry', 'appointment_series', 'offer'] loop
    execute format('create policy clinic_rows on %I for all to mediconnect_app using (clinic_id = current_clinic())
      with check (clinic_id = current_clinic())', t);
    execute format('create policy own_rows on %I for select to mediconnect_app using (patient_id = current_patient())', t);
  end loop;
end $$;

create policy clinic_rows on clinic for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy clinics_of_patient on clinic for select to mediconnect_app
  using (exists (select from registration r where r.clinic_id = clinic.clinic_id and r.patient_id = current_patient()));
create policy clinic_rows on provider for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy providers_of_patient on provider for select to mediconnect_app
  using (exists (select from registration r where r.clinic_id = provider.clinic_id and r.patient_id = current_patient()));

create policy registered_patients on patient for select to mediconnect_app
  using (exists (select from registration r where r.patient_id = patient.patient_id and r.clinic_id = current_clinic()));
create policy registered_patients_change on patient for update to mediconnect_app
  using (exists (select from registration r where r.patient_id = patient.patient_id and r.clinic_id = current_clinic()));
create policy own_rows on patient for all to mediconnect_app using (patient_id = current_patient()) with check (patient_id = current_patient());

create policy own_keys on idempotency_key for all to mediconnect_app using (caller = current_caller()) with check (caller = current_caller());

create policy own_changes on audit_event for insert to mediconnect_app
  with check (clinic_id is null and entity = 'patient' and entity_id = current_patient());

create policy relay_rows on outbox for all to mediconnect_relay using (true) with check (true);

grant select, insert, update, delete on clinic, provider, availability, provider_break, availability_override, closure, time_off,
  registration, appointment, waitlist_round, reservation, waitlist_entry, round_candidate, notification, delivery_attempt, replay, replay_item,
  ehr_connection, ehr_link, ehr_sync_run, ehr_sync_item to mediconnect_app;
revoke delete on appointment, notification, delivery_attempt from mediconnect_app;
grant select, insert, update on patient, hold, sick_day, sick_day_item, offer, task to mediconnect_app;
grant select, insert on appointment_series, opt_out to mediconnect_app;
grant select, insert on clinic_policy, audit_event, idempotency_key to mediconnect_app;
-- returning an identity needs select; the clinic's policy keeps it to the clinic's rows.
grant select, insert on outbox to mediconnect_app;
grant select, update, insert on outbox to mediconnect_relay;
