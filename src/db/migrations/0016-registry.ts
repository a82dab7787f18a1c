import { sql, type Kysely } from 'kysely';

/** Clinics, providers and patients are changed over HTTP: each has a version for `If-Match`, and a clinic's staff may enter a new patient. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- A version rises with everything that its answer shows: whoever writes, the entity tag stays honest.
    alter table clinic add column version integer not null default 1;
    alter table provider add column version integer not null default 1;
    alter table patient add column version integer not null default 1;
    create function raise_version() returns trigger language plpgsql as $$
    begin
      new.version := old.version + 1;
      return new;
    end $$;
    create trigger clinic_raises_version before update on clinic for each row
      when ((old.name, old.slug, old.time_zone, old.policy) is distinct from (new.name, new.slug, new.time_zone, new.policy))
      execute function raise_version();
    create trigger provider_raises_own_version before update on provider for each row
      when ((old.name, old.specialty, old.max_daily_appointments) is distinct from (new.name, new.specialty, new.max_daily_appointments))
      execute function raise_version();
    create trigger patient_raises_version before update on patient for each row
      when ((old.given_name, old.family_name, old.birth_date, old.phone, old.email, old.locale, old.time_zone, old.preferred_channel) is distinct from
        (new.given_name, new.family_name, new.birth_date, new.phone, new.email, new.locale, new.time_zone, new.preferred_channel))
      execute function raise_version();

    -- A provider's answer tells the clinic's zone, so both of its versions rise with it.
    create or replace function raise_schedule_versions_of_clinic() returns trigger language plpgsql as $$
    begin
      if new.time_zone <> old.time_zone then
        update provider set schedule_version = schedule_version + 1, version = version + 1 where clinic_id = new.clinic_id;
      end if;
      return null;
    end $$;

    -- Staff see only registered patients, and nobody can be registered who is not there: both rows are written here, for the context's clinic alone.
    -- Without a context the registration is refused, and with it the patient.
    create function create_registered_patient(request jsonb) returns void
      language plpgsql volatile security definer set search_path = public, pg_temp
      as $$
      begin
        insert into patient (patient_id, given_name, family_name, birth_date, phone, email, locale, time_zone, preferred_channel)
          values ((request ->> 'patientId')::uuid, request ->> 'givenName', request ->> 'familyName', (request ->> 'birthDate')::date,
            request ->> 'phone', request ->> 'email', request ->> 'locale', request ->> 'timeZone', request ->> 'preferredChannel');
        insert into registration (clinic_id, patient_id) values (current_clinic(), (request ->> 'patientId')::uuid);
      end $$;
    grant execute on function create_registered_patient(jsonb) to mediconnect_app;

    -- What patients change about themselves happens at no clinic: no clinic sees the event.
    alter table audit_event alter column clinic_id drop not null;
    create policy own_changes on audit_event for insert to mediconnect_app
      with check (clinic_id is null and entity = 'patient' and entity_id = current_patient());
  `.execute(db);
}
