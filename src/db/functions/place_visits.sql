-- Places visits one after the other, so that each sees those before it: books them, gives those that are moved their new time, or holds a slot. Takes
-- the locks. 'stale': the rules by which the caller has judged are no longer those of the provider and the clinic; nothing is written. Else it says
-- of each what refuses it, null if nothing does, and which of the waived rules would have; if one is refused, the caller gives everything up.
create or replace function place_visits(p_request jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_clinic uuid := (p_request ->> 'clinicId')::uuid;
  v_waived text[] := array(select jsonb_array_elements_text(coalesce(p_request -> 'waived', '[]')));
  v_place jsonb;
  v_is_current boolean;
  v_freed jsonb;
  v_overridden text[];
  v_refusals text[];
  v_refusal text;
  -- What the constraint has refused.
  v_late text;
  v_places jsonb := '[]';
begin
  perform lock_for_booking(v_clinic, array(select (place ->> 'providerId')::uuid from jsonb_array_elements(p_request -> 'places') place),
    array(select (place ->> 'patientId')::uuid from jsonb_array_elements(p_request -> 'places') place where place ? 'patientId'));
  for v_place in select place from jsonb_array_elements(p_request -> 'places') place loop
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
    select jsonb_agg(jsonb_build_object('appointmentId', appointment_id, 'resourceId', resource_id,
      'from', round(extract(epoch from lower(during)) * 1000), 'to', round(extract(epoch from upper(during)) * 1000))) into v_freed from freed;
  end if;

  for v_place in select place from jsonb_array_elements(p_request -> 'places') place loop
    v_refusals := refusals_of_place(v_place);
    v_overridden := array(select refusal from unnest(v_refusals) with ordinality as each (refusal, place) where refusal = any(v_waived) order by place);
    v_refusal := (select refusal from unnest(v_refusals) with ordinality as each (refusal, place) where refusal <> all(v_waived) order by place limit 1);
    -- Of a series a refused one is written too, as those after it are judged as if they came after it; it is given up with the rest.
    if v_refusal is null or p_request ? 'asSeries' then
      v_late := write_place(p_request, v_place,
        array(select jsonb_array_elements_text(coalesce(v_place -> 'overridden', '[]'))) || v_overridden);
    end if;
    v_places := v_places || jsonb_build_object('refusal', coalesce(v_refusal, v_late), 'overridden', v_overridden);
  end loop;
  return jsonb_build_object('outcome', 'placed', 'freed', coalesce(v_freed, '[]'), 'isLate', v_late is not null, 'places', v_places);
end $$;
grant execute on function place_visits(jsonb) to mediconnect_app;
