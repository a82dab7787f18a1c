-- Booking in one round trip. The rules were judged by the caller on the schedule it has; here its versions are compared under the lock and everything is
-- written, or nothing. Refusals found before the first write come back as an outcome; the backstop raises, so that all rolls back.
-- Locks in the one global order: clinic (shared), provider, patient.
create or replace function book_appointment(request jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_clinic uuid := (request ->> 'clinicId')::uuid;
  v_provider uuid := (request ->> 'providerId')::uuid;
  v_patient uuid := (request ->> 'patientId')::uuid;
  v_appointment uuid := (request ->> 'appointmentId')::uuid;
  v_hold uuid := (request ->> 'holdId')::uuid;
  v_visit tstzrange := tstzrange((request ->> 'visitFrom')::timestamptz, (request ->> 'visitTo')::timestamptz, '[)');
  v_during tstzrange := tstzrange((request ->> 'busyFrom')::timestamptz, (request ->> 'busyTo')::timestamptz, '[)');
  v_day tstzrange := tstzrange((request ->> 'dayFrom')::timestamptz, (request ->> 'dayTo')::timestamptz, '[)');
  v_key text := request ->> 'idempotencyKey';
  -- What staff set aside, and what of it was needed: the caller has judged its part.
  v_waived jsonb := coalesce(request -> 'waived', '[]');
  v_overridden jsonb := coalesce(request -> 'overridden', '[]');
  v_max_at_clinic integer;
  v_max_with_provider integer;
  v_ahead record;
  v_known record;
  v_held record;
  v_provider_row record;
  v_booked integer;
  v_reserved integer;
begin
  perform set_config('app.clinic_id', v_clinic::text, true), set_config('app.caller', coalesce(request ->> 'caller', ''), true);

  if v_key is not null then
    if not pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'idempotency', request ->> 'caller', request ->> 'route', v_key), 0)) then
      return jsonb_build_object('outcome', 'idempotency_in_progress');
    end if;
    select fingerprint, response into v_known from idempotency_key
      where caller = request ->> 'caller' and route = request ->> 'route' and key = v_key;
    if found then
      if v_known.fingerprint = request ->> 'fingerprint' then
        return jsonb_build_object('outcome', 'replayed', 'response', v_known.response);
      end if;
      return jsonb_build_object('outcome', 'idempotency_mismatch');
    end if;
  end if;

  perform lock_clinic_shared(v_clinic);
  perform lock_resource(v_provider);
  perform lock_resource(v_patient);

  select p.schedule_version, c.policy_version, p.max_daily_appointments, c.policy into v_provider_row
    from provider p join clinic c using (clinic_id) where p.provider_id = v_provider and p.clinic_id = v_clinic;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if v_provider_row.schedule_version <> (request ->> 'scheduleVersion')::integer
    or v_provider_row.policy_version <> (request ->> 'policyVersion')::integer then
    return jsonb_build_object('outcome', 'stale');
  end if;
  if lower(v_visit) <= now() then
    return jsonb_build_object('outcome', 'in_the_past');
  end if;
  if not (request ->> 'registersPatient')::boolean
    and not exists (select from registration where clinic_id = v_clinic and patient_id = v_patient) then
    return jsonb_build_object('outcome', 'not_found');
  end if;

  if v_hold is not null then
    select state, expires_at > now() as live, provider_id, slot_start, duration_minutes into v_held from hold
      where hold_id = v_hold and held_by = request ->> 'heldBy' for update;
    if not found then
      return jsonb_build_object('outcome', 'not_found');
    end if;
    if v_held.state <> 'LIVE' or not v_held.live then
      return jsonb_build_object('outcome', 'hold_gone');
    end if;
    if v_held.provider_id <> v_provider or v_held.slot_start <> lower(v_visit)
      or v_held.duration_minutes <> (request ->> 'durationMinutes')::integer then
      return jsonb_build_object('outcome', 'hold_mismatch');
    end if;
    delete from reservation where hold_id = v_hold;
  end if;

  perform expire_reservations(v_provider, v_during);
  if exists (select from busy_ranges(v_provider, v_during)) then
    return refuse_booking('slot_taken', v_hold is not null);
  end if;
  if exists (select from busy_ranges(v_patient, v_visit)) then
    return refuse_booking('patient_busy', v_hold is not null);
  end if;
  select count(*) into v_booked from busy_ranges(v_provider, v_day) b
    where b.purpose in ('APPOINTMENT', 'HOLD', 'WAITLIST') and b.from_time >= lower(v_day);
  -- The hold had its place in the day: taking it adds nothing.
  if v_hold is null and v_booked >= v_provider_row.max_daily_appointments then
    if not v_waived ? 'day_full' then
      return jsonb_build_object('outcome', 'day_full');
    end if;
    v_overridden := v_overridden || '["day_full"]'::jsonb;
  end if;

  v_max_at_clinic := (v_provider_row.policy ->> 'maxUpcomingPerPatient')::integer;
  v_max_with_provider := (v_provider_row.policy ->> 'maxUpcomingPerProviderAndPatient')::integer;
  if coalesce(v_max_at_clinic, v_max_with_provider) is not null then
    select * into v_ahead from upcoming_visits(v_patient, v_provider);
    if v_ahead.at_clinic >= v_max_at_clinic then
      if not v_waived ? 'too_many_upcoming' then
        return refuse_booking('too_many_upcoming', v_hold is not null);
      end if;
      v_overridden := v_overridden || '["too_many_upcoming"]'::jsonb;
    end if;
    if v_ahead.with_provider >= v_max_with_provider then
      if not v_waived ? 'too_many_upcoming_with_provider' then
        return refuse_booking('too_many_upcoming_with_provider', v_hold is not null);
      end if;
      v_overridden := v_overridden || '["too_many_upcoming_with_provider"]'::jsonb;
    end if;
  end if;

  if (request ->> 'registersPatient')::boolean then
    insert into registration (clinic_id, patient_id) values (v_clinic, v_patient) on conflict do nothing;
  end if;
  insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
      booked_via, policy_version, override_rules, override_reason, next_action, next_action_at)
    values (v_appointment, v_patient, v_provider, v_clinic, lower(v_visit), (request ->> 'durationMinutes')::integer, 'SCHEDULED',
      request ->> 'confirmationCode', 'api', v_provider_row.policy_version,
      array(select jsonb_array_elements_text(v_overridden)),
      case when v_overridden <> '[]' then request ->> 'overrideReason' end, 'plan', now());
  insert into reservation (reservation_id, clinic_id, resource_id, during, purpose, appointment_id) values
      ((request ->> 'providerReservationId')::uuid, v_clinic, v_provider, v_during, 'APPOINTMENT', v_appointment),
      ((request ->> 'patientReservationId')::uuid, v_clinic, v_patient, v_visit, 'APPOINTMENT', v_appointment)
    on conflict do nothing;
  get diagnostics v_reserved = row_count;
  if v_reserved <> 2 then
    raise exception 'slot_taken' using errcode = 'MC409';
  end if;
  if v_hold is not null then
    update hold set state = 'BOOKED', appointment_id = v_appointment where hold_id = v_hold;
  end if;
  insert into outbox (clinic_id, aggregate, aggregate_id, event, version, request_id)
    values (v_clinic, 'appointment', v_appointment, 'booked', 1, request ->> 'requestId');
  insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
    values (v_clinic, 'appointment', v_appointment, 'booked', request ->> 'actorKind', request ->> 'actorId', request ->> 'requestId',
      jsonb_strip_nulls(jsonb_build_object('version', 1, 'providerId', v_provider, 'appointmentTime', request ->> 'visitFrom', 'holdId', v_hold,
        'override', case when v_overridden <> '[]' then jsonb_build_object('rules', v_overridden, 'reason', request ->> 'overrideReason') end)));
  if v_key is not null then
    insert into idempotency_key (caller, route, key, fingerprint, response)
      values (request ->> 'caller', request ->> 'route', v_key, request ->> 'fingerprint', request -> 'response');
  end if;
  return jsonb_build_object('outcome', 'booked');
end $$;
grant execute on function book_appointment(jsonb) to mediconnect_app;
