import { sql, type Kysely } from 'kysely';

/**
 * Booking in one round trip. The rules were judged by the caller on the schedule it has; here its versions are compared under the lock and
 * everything is written, or nothing. Refusals found before the first write come back as an outcome; the backstop raises, so that all rolls back.
 * Locks in the one global order: clinic (shared), provider, patient.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function lock_clinic_shared(p_clinic uuid) returns void language sql volatile
      as $$ select pg_advisory_xact_lock_shared(hashtextextended('clinic:' || p_clinic, 0)) $$;
    create function lock_clinic(p_clinic uuid) returns void language sql volatile
      as $$ select pg_advisory_xact_lock(hashtextextended('clinic:' || p_clinic, 0)) $$;
    create function lock_resource(p_resource uuid) returns void language sql volatile
      as $$ select pg_advisory_xact_lock(hashtextextended('resource:' || p_resource, 0)) $$;

    create function book_appointment(request jsonb) returns jsonb language plpgsql volatile as $$
    declare
      v_clinic uuid := (request ->> 'clinicId')::uuid;
      v_provider uuid := (request ->> 'providerId')::uuid;
      v_patient uuid := (request ->> 'patientId')::uuid;
      v_appointment uuid := (request ->> 'appointmentId')::uuid;
      v_visit tstzrange := tstzrange((request ->> 'visitFrom')::timestamptz, (request ->> 'visitTo')::timestamptz, '[)');
      v_during tstzrange := tstzrange((request ->> 'busyFrom')::timestamptz, (request ->> 'busyTo')::timestamptz, '[)');
      v_day tstzrange := tstzrange((request ->> 'dayFrom')::timestamptz, (request ->> 'dayTo')::timestamptz, '[)');
      v_key text := request ->> 'idempotencyKey';
      v_known record;
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

      select p.schedule_version, c.policy_version, p.max_daily_appointments into v_provider_row
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

      perform expire_reservations(v_provider, v_during);
      if exists (select from busy_ranges(v_provider, v_during)) then
        return jsonb_build_object('outcome', 'slot_taken');
      end if;
      if exists (select from busy_ranges(v_patient, v_visit)) then
        return jsonb_build_object('outcome', 'patient_busy');
      end if;
      select count(*) into v_booked from busy_ranges(v_provider, v_day) b
        where b.purpose in ('APPOINTMENT', 'HOLD', 'WAITLIST') and b.from_time >= lower(v_day);
      if v_booked >= v_provider_row.max_daily_appointments then
        return jsonb_build_object('outcome', 'day_full');
      end if;

      if (request ->> 'registersPatient')::boolean then
        insert into registration (clinic_id, patient_id) values (v_clinic, v_patient) on conflict do nothing;
      end if;
      insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
          booked_via, policy_version, next_action, next_action_at)
        values (v_appointment, v_patient, v_provider, v_clinic, lower(v_visit), (request ->> 'durationMinutes')::integer, 'SCHEDULED',
          request ->> 'confirmationCode', 'api', v_provider_row.policy_version, 'plan', now());
      insert into reservation (reservation_id, clinic_id, resource_id, during, purpose, appointment_id) values
          ((request ->> 'providerReservationId')::uuid, v_clinic, v_provider, v_during, 'APPOINTMENT', v_appointment),
          ((request ->> 'patientReservationId')::uuid, v_clinic, v_patient, v_visit, 'APPOINTMENT', v_appointment)
        on conflict do nothing;
      get diagnostics v_reserved = row_count;
      if v_reserved <> 2 then
        raise exception 'slot_taken' using errcode = 'MC409';
      end if;
      insert into outbox (clinic_id, aggregate, aggregate_id, event, version, request_id)
        values (v_clinic, 'appointment', v_appointment, 'booked', 1, request ->> 'requestId');
      insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
        values (v_clinic, 'appointment', v_appointment, 'booked', request ->> 'actorKind', request ->> 'actorId', request ->> 'requestId',
          jsonb_build_object('version', 1, 'providerId', v_provider, 'appointmentTime', request ->> 'visitFrom'));
      if v_key is not null then
        insert into idempotency_key (caller, route, key, fingerprint, response)
          values (request ->> 'caller', request ->> 'route', v_key, request ->> 'fingerprint', request -> 'response');
      end if;
      return jsonb_build_object('outcome', 'booked');
    end $$;

    grant execute on function lock_clinic_shared(uuid), lock_clinic(uuid), lock_resource(uuid), book_appointment(jsonb) to mediconnect_app;
  `.execute(db);
}
