import { sql, type Kysely } from 'kysely';

/** Staff see their clinic's rows, patients their own. The owner only migrates; the application and relay roles own nothing and bypass nothing. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    do $$
    declare
      t text;
    begin
      foreach t in array array['clinic', 'clinic_policy', 'provider', 'availability', 'provider_break', 'availability_override', 'closure',
        'time_off', 'patient', 'registration', 'appointment', 'waitlist_round', 'reservation', 'waitlist_entry', 'waitlist_offer', 'notification',
        'delivery_attempt', 'replay', 'replay_item', 'outbox', 'audit_event', 'idempotency_key', 'ehr_connection', 'ehr_link', 'ehr_sync_run',
        'ehr_sync_item'] loop
        execute format('alter table %I enable row level security', t);
      end loop;

      -- Tables that only the clinic sees.
      foreach t in array array['clinic_policy', 'availability', 'provider_break', 'availability_override', 'closure', 'time_off',
        'waitlist_round', 'reservation', 'waitlist_offer', 'notification', 'delivery_attempt', 'replay', 'replay_item', 'outbox', 'audit_event',
        'ehr_connection', 'ehr_link', 'ehr_sync_run', 'ehr_sync_item'] loop
        execute format('create policy clinic_rows on %I for all to mediconnect_app using (clinic_id = current_clinic())
          with check (clinic_id = current_clinic())', t);
      end loop;

      -- Tables of which a patient sees their own rows too.
      foreach t in array array['appointment', 'registration', 'waitlist_entry'] loop
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

    create policy relay_rows on outbox for all to mediconnect_relay using (true) with check (true);

    grant select, insert, update, delete on clinic, provider, availability, provider_break, availability_override, closure, time_off,
      registration, appointment, waitlist_round, reservation, waitlist_entry, waitlist_offer, notification, delivery_attempt, replay, replay_item,
      ehr_connection, ehr_link, ehr_sync_run, ehr_sync_item to mediconnect_app;
    revoke delete on appointment, notification, delivery_attempt from mediconnect_app;
    grant select, insert, update on patient to mediconnect_app;
    grant select, insert on clinic_policy, audit_event, idempotency_key to mediconnect_app;
    -- returning an identity needs select; the clinic's policy keeps it to the clinic's rows.
    grant select, insert on outbox to mediconnect_app;
    grant select, update, insert on outbox to mediconnect_relay;

    -- Readiness asks which migrations have run.
    grant select on kysely_migration to mediconnect_app, mediconnect_relay;
  `.execute(db);
}
