-- Staff see only registered patients, and nobody can be registered who is not there: both rows are written here, for the context's clinic alone.
-- Without a context the registration is refused, and with it the patient.
create or replace function create_registered_patient(request jsonb) returns void
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  begin
    insert into patient (patient_id, given_name, family_name, birth_date, phone, email, locale, time_zone, preferred_channel)
      values ((request ->> 'patientId')::uuid, request ->> 'givenName', request ->> 'familyName', (request ->> 'birthDate')::date,
        request ->> 'phone', request ->> 'email', request ->> 'locale', request ->> 'timeZone', request ->> 'preferredChannel');
    insert into registration (clinic_id, patient_id) values (current_clinic(), (request ->> 'patientId')::uuid);
  end $$;
grant execute on function create_registered_patient(jsonb) to mediconnect_app;
