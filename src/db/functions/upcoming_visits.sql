-- The visits a patient has ahead at the clinic of the context, and how many of them with one provider. The caller holds the patient's lock.
create or replace function upcoming_visits(p_patient uuid, p_provider uuid) returns table (at_clinic integer, with_provider integer)
  language sql volatile
  as $$
    select count(*)::integer, (count(*) filter (where provider_id = p_provider))::integer from appointment
    where clinic_id = current_clinic() and patient_id = p_patient and status = 'SCHEDULED' and appointment_time > now()
  $$;
grant execute on function upcoming_visits(uuid, uuid) to mediconnect_app;
