-- A visit, and the later ones of its series if they are wanted, in that order, under every lock that changing them needs: with p_of_time those of
-- their providers and their patient, and always those of whose time is offered for them. With what was promised when they were booked, and the
-- versions of their providers' rules.
create or replace function lock_visits(p_clinic uuid, p_appointment uuid, p_with_later boolean, p_of_time boolean, p_providers uuid[])
  returns table (visit jsonb, promised jsonb, schedule_version integer, clinic_policy_version integer, claimed boolean, time_zone text)
  language plpgsql volatile
  as $$
  declare
    v_seen appointment;
    v_visits uuid[] := array[p_appointment];
    v_providers uuid[];
  begin
    select * into v_seen from appointment a where a.appointment_id = p_appointment;
    if not found then
      return;
    end if;
    if p_with_later and v_seen.series_id is not null then
      v_visits := array(select a.appointment_id from appointment a where a.series_id = v_seen.series_id and a.series_index >= v_seen.series_index);
    end if;
    v_providers := offered_providers(v_visits);
    if p_of_time then
      v_providers := v_providers || p_providers || array(select a.provider_id from appointment a where a.appointment_id = any(v_visits));
      perform lock_for_booking(p_clinic, v_providers, array[v_seen.patient_id]);
    elsif v_providers <> '{}' then
      perform lock_for_booking(p_clinic, v_providers, '{}');
    end if;
    perform from appointment a where a.appointment_id = any(v_visits) order by a.series_index for update;
    -- A visit may have been moved, and an offer made, while the locks were waited for; neither is from here on, as that takes the visit's row.
    if not offered_providers(v_visits) <@ v_providers
      or p_of_time and exists (select from appointment a where a.appointment_id = any(v_visits) and a.provider_id <> all(v_providers)) then
      raise exception 'changed while locking' using errcode = '40001';
    end if;
    return query
      select to_jsonb(a), k.policy, p.schedule_version, c.policy_version, has_claims(a.appointment_id), c.time_zone
      from appointment a join clinic_policy k on k.clinic_id = a.clinic_id and k.policy_version = a.policy_version
        join provider p on p.provider_id = a.provider_id join clinic c on c.clinic_id = a.clinic_id
      where a.appointment_id = any(v_visits) order by a.series_index;
  end $$;
grant execute on function lock_visits(uuid, uuid, boolean, boolean, uuid[]) to mediconnect_app;
