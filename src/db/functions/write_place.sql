-- Takes the place: the visit's row and what every booking leaves behind, or the hold's, where it is a new one, and the reservations. The constraint
-- decides: returns what it refuses, and then everything must be given up.
create or replace function write_place(p_request jsonb, p_place jsonb, p_overridden text[]) returns text language plpgsql volatile as $$
declare
  v_clinic uuid := (p_request ->> 'clinicId')::uuid;
  v_provider uuid := (p_place ->> 'providerId')::uuid;
  v_patient uuid := (p_place ->> 'patientId')::uuid;
  v_appointment uuid := (p_place ->> 'appointmentId')::uuid;
  v_new_hold uuid := (p_place ->> 'newHoldId')::uuid;
  v_visit tstzrange := tstzrange((p_place ->> 'visitFrom')::timestamptz, (p_place ->> 'visitTo')::timestamptz, '[)');
  v_minutes integer := extract(epoch from upper(v_visit) - lower(v_visit)) / 60;
  v_until timestamptz := now() + make_interval(mins => (p_place ->> 'holdMinutes')::integer);
  v_overridden text[] := p_overridden;
  v_reserved integer;
begin
  if p_place ? 'confirmationCode' then
    if p_place -> 'overridden' <> '[]' then
      v_overridden := array(select jsonb_array_elements_text(p_place -> 'overridden')) || p_overridden;
    end if;
    if p_place ? 'registers' then
      insert into registration (clinic_id, patient_id) values (v_clinic, v_patient) on conflict do nothing;
    end if;
    insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
        booked_via, time_set_at, policy_version, override_rules, override_reason, series_id, series_index, notice_visits, announced_by,
        next_action, next_action_at)
      values (v_appointment, v_patient, v_provider, v_clinic, lower(v_visit), v_minutes, 'SCHEDULED', p_place ->> 'confirmationCode',
        p_place ->> 'bookedVia', (p_place ->> 'timeSetAt')::timestamptz, (p_place ->> 'policyVersion')::integer,
        v_overridden, case when v_overridden <> '{}' then p_request ->> 'reason' end,
        (p_place ->> 'seriesId')::uuid, (p_place ->> 'seriesIndex')::integer, coalesce((p_place ->> 'noticeVisits')::integer, 1),
        -- Of a series whose first date the rules refuse nothing stays; until that is said, the others are written without it.
        (select appointment_id from appointment where appointment_id = (p_place ->> 'announcedBy')::uuid),
        -- The plan is due at once, so that the sweep finds the visit even if nobody starts its workflow.
        'plan', now());
    insert into outbox (clinic_id, aggregate, aggregate_id, event, version, request_id)
      values (v_clinic, 'appointment', v_appointment, 'booked', 1, p_request ->> 'requestId');
    insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
      values (v_clinic, 'appointment', v_appointment, 'booked', p_request ->> 'actorKind', p_request ->> 'actorId', p_request ->> 'requestId',
        jsonb_strip_nulls(jsonb_build_object('version', 1, 'providerId', v_provider, 'appointmentTime', p_place ->> 'visitFrom',
          'holdId', p_place ->> 'holdId', 'roundId', p_place ->> 'roundId', 'entryId', p_place ->> 'entryId', 'seriesId', p_place ->> 'seriesId',
          'override', case when v_overridden <> '{}' then jsonb_build_object('rules', v_overridden, 'reason', p_request ->> 'reason') end)));
  elsif v_new_hold is not null then
    insert into hold (hold_id, clinic_id, provider_id, slot_start, duration_minutes, held_by, state, expires_at, judged_at)
      values (v_new_hold, v_clinic, v_provider, lower(v_visit), v_minutes, p_place ->> 'heldBy', 'LIVE', v_until, (p_place ->> 'judgedAt')::timestamptz);
    insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
      values (v_clinic, 'hold', v_new_hold, 'held', p_request ->> 'actorKind', p_request ->> 'actorId', p_request ->> 'requestId',
        jsonb_build_object('providerId', v_provider, 'slotStart', p_place ->> 'visitFrom', 'durationMinutes', v_minutes));
  end if;

  if p_place ? 'holdId' then
    delete from reservation where hold_id = (p_place ->> 'holdId')::uuid;
    update hold set state = 'BOOKED', appointment_id = v_appointment where hold_id = (p_place ->> 'holdId')::uuid;
  elsif p_place ? 'roundId' then
    delete from reservation where round_id = (p_place ->> 'roundId')::uuid;
  end if;
  insert into reservation (reservation_id, clinic_id, resource_id, during, visit_start, purpose, appointment_id, hold_id, expires_at)
    select reservation_id, v_clinic, resource_id, during, visit_start, case when v_new_hold is null then 'APPOINTMENT' else 'HOLD' end,
      v_appointment, v_new_hold, v_until
    from (values
      ((p_place ->> 'providerReservationId')::uuid, v_provider,
        tstzrange((p_place ->> 'busyFrom')::timestamptz, (p_place ->> 'busyTo')::timestamptz, '[)'), lower(v_visit)),
      ((p_place ->> 'patientReservationId')::uuid, v_patient, v_visit, null)) wanted (reservation_id, resource_id, during, visit_start)
    where resource_id is not null
    on conflict do nothing;
  get diagnostics v_reserved = row_count;
  if v_reserved = 2 or v_patient is null and v_reserved = 1 then
    return null;
  end if;
  return case when exists (select from reservation where appointment_id = v_appointment and resource_id = v_provider)
    then 'patient_busy' else 'slot_taken' end;
end $$;
grant execute on function write_place(jsonb, jsonb, text[]) to mediconnect_app;
