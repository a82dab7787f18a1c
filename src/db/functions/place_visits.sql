-- Places visits one after the other, so that each sees those before it: books them, gives those that are moved their new time, or holds a slot. Takes
-- the locks. 'stale': the rules by which the caller has judged are no longer those of the provider and the clinic; nothing is written. Else it says
-- of each what refuses it, null if nothing does, and which of the waived rules would have; if one is refused, the caller gives everything up.
create or replace function place_visits(p_request jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_clinic uuid := (p_request ->> 'clinicId')::uuid;
  v_waived jsonb := coalesce(p_request -> 'waived', '[]');
  v_places jsonb := p_request -> 'places';
  v_last integer := jsonb_array_length(p_request -> 'places') - 1;
  v_providers uuid[] := '{}';
  v_patients uuid[] := '{}';
  v_place jsonb;
  v_is_current boolean;
  v_freed jsonb := '[]';
  v_refusals text[];
  v_refusal text;
  -- What the constraint has refused.
  v_late text;
  v_overridden text[];
  v_code text;
  v_answers jsonb := '[]';
begin
  for i in 0 .. v_last loop
    v_place := v_places -> i;
    v_providers := v_providers || (v_place ->> 'providerId')::uuid;
    if v_place ? 'patientId' then
      v_patients := v_patients || (v_place ->> 'patientId')::uuid;
    end if;
  end loop;
  perform lock_for_booking(v_clinic, v_providers, v_patients);
  for i in 0 .. v_last loop
    v_place := v_places -> i;
    select p.schedule_version = (v_place ->> 'scheduleVersion')::integer and c.policy_version = (v_place ->> 'policyVersion')::integer
      into v_is_current from provider p join clinic c using (clinic_id)
      where p.provider_id = (v_place ->> 'providerId')::uuid and p.clinic_id = v_clinic;
    if v_is_current is distinct from true then
      return jsonb_build_object('outcome', case when v_is_current is null then 'not_found' else 'stale' end);
    end if;
  end loop;

  -- All of them, before any is placed: visits may move into each other's old time, and into their own.
  if p_request ? 'free' then
    with freed as (
      delete from reservation where appointment_id in (select value::uuid from jsonb_array_elements_text(p_request -> 'free'))
      returning appointment_id, resource_id, during
    )
    select coalesce(jsonb_agg(jsonb_build_object('appointmentId', appointment_id, 'resourceId', resource_id,
      'from', round(extract(epoch from lower(during)) * 1000), 'to', round(extract(epoch from upper(during)) * 1000))), '[]') into v_freed from freed;
  end if;

  for i in 0 .. v_last loop
    v_place := v_places -> i;
    v_refusals := refusals_of_place(v_place);
    v_refusal := null;
    v_late := null;
    v_overridden := '{}';
    foreach v_code in array v_refusals loop
      if v_waived ? v_code then
        v_overridden := v_overridden || v_code;
      else
        v_refusal := coalesce(v_refusal, v_code);
      end if;
    end loop;
    -- Of a series a refused one is written too, as those after it are judged as if they came after it; it is given up with the rest.
    if v_refusal is null or p_request ? 'asSeries' then
      v_late := write_place(p_request, v_place, v_overridden);
    end if;
    v_answers := v_answers || jsonb_build_object('refusal', coalesce(v_refusal, v_late), 'overridden', v_overridden);
  end loop;
  return jsonb_build_object('outcome', 'placed', 'freed', v_freed, 'isLate', v_late is not null, 'places', v_answers);
end $$;
grant execute on function place_visits(jsonb) to mediconnect_app;
