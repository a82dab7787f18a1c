-- Everything that refuses a place but the rules of the schedule, which are TypeScript's (domain/availability/judge.ts), in the one order of every
-- door. What it has a claim to, a hold or a round, is in nobody's way. The locks are taken; what has expired goes.
create or replace function refusals_of_place(p_place jsonb) returns text[] language plpgsql volatile as $$
declare
  v_provider uuid := (p_place ->> 'providerId')::uuid;
  v_patient uuid := (p_place ->> 'patientId')::uuid;
  v_visit tstzrange := tstzrange((p_place ->> 'visitFrom')::timestamptz, (p_place ->> 'visitTo')::timestamptz, '[)');
  v_during tstzrange := tstzrange((p_place ->> 'busyFrom')::timestamptz, (p_place ->> 'busyTo')::timestamptz, '[)');
  v_day tstzrange := tstzrange((p_place ->> 'dayFrom')::timestamptz, (p_place ->> 'dayTo')::timestamptz, '[)');
  v_hold record;
  -- Where the reservation begins that it has a claim to: two of one provider never begin together.
  v_claimed timestamptz;
  v_ahead record;
  v_refusals text[] := '{}';
begin
  if lower(v_visit) <= now() then
    v_refusals := v_refusals || 'in_the_past'::text;
  end if;
  if p_place ? 'mustBeRegistered'
    and not exists (select from registration where clinic_id = current_clinic() and patient_id = v_patient) then
    v_refusals := v_refusals || 'not_found'::text;
  end if;

  if p_place ? 'holdId' then
    select state = 'LIVE' and expires_at > now() as is_live,
        provider_id = v_provider and slot_start = lower(v_visit) and make_interval(mins => duration_minutes) = upper(v_visit) - lower(v_visit) as fits
      into v_hold from hold where hold_id = (p_place ->> 'holdId')::uuid and held_by = p_place ->> 'heldBy' for update;
    v_refusals := array_remove(v_refusals || case when v_hold is null then 'not_found' when not v_hold.is_live then 'hold_gone'
      when not v_hold.fits then 'hold_mismatch' end, null);
    select lower(during) into v_claimed from reservation where hold_id = (p_place ->> 'holdId')::uuid;
  elsif p_place ? 'roundId' then
    select lower(during) into v_claimed from reservation where round_id = (p_place ->> 'roundId')::uuid;
  end if;

  perform expire_reservations(v_provider, v_during);
  if exists (select from busy_ranges(v_provider, v_during) where from_time is distinct from v_claimed) then
    v_refusals := v_refusals || 'slot_taken'::text;
  end if;
  if v_patient is not null and exists (select from busy_ranges(v_patient, v_visit)) then
    v_refusals := v_refusals || 'patient_busy'::text;
  end if;

  -- A hold had its place in the day: taking it adds nothing.
  if not p_place ? 'holdId' and (p_place ->> 'maxDaily')::integer <= (select count(*) from busy_ranges(v_provider, v_day)
    where purpose <> 'EXTERNAL' and visit_start <@ v_day and from_time is distinct from v_claimed) then
    v_refusals := v_refusals || 'day_full'::text;
  end if;

  if coalesce(p_place ->> 'maxUpcoming', p_place ->> 'maxUpcomingWithProvider') is not null then
    select count(*) + coalesce((p_place ->> 'coming')::integer, 0) as at_clinic,
        count(*) filter (where provider_id = v_provider) + coalesce((p_place ->> 'coming')::integer, 0) as with_provider
      into v_ahead from appointment
      where clinic_id = current_clinic() and patient_id = v_patient and status = 'SCHEDULED' and appointment_time > now();
    if v_ahead.at_clinic >= (p_place ->> 'maxUpcoming')::integer then
      v_refusals := v_refusals || 'too_many_upcoming'::text;
    end if;
    if v_ahead.with_provider >= (p_place ->> 'maxUpcomingWithProvider')::integer then
      v_refusals := v_refusals || 'too_many_upcoming_with_provider'::text;
    end if;
  end if;

  if p_place ? 'newHoldId' then
    -- Whoever is placing one in the same name is waited for, so that nobody counts too few.
    perform pg_advisory_xact_lock(hashtextextended('holder:' || (p_place ->> 'heldBy'), 0));
    if (p_place ->> 'maxHolds')::integer <= (select count(*) from hold where held_by = p_place ->> 'heldBy' and state = 'LIVE' and expires_at > now()) then
      v_refusals := v_refusals || 'too_many_holds'::text;
    end if;
  end if;
  return v_refusals;
end $$;
grant execute on function refusals_of_place(jsonb) to mediconnect_app;
