-- The one order of locks: the clinic (shared by doors), providers sorted, patients sorted; rows come after. Held until the transaction ends.
create or replace function lock_for_booking(p_clinic uuid, p_providers uuid[], p_patients uuid[]) returns void language plpgsql volatile as $$
declare
  v_id uuid;
begin
  perform lock_clinic_shared(p_clinic);
  if cardinality(p_providers) = 1 and cardinality(p_patients) = 1 then
    -- Most bookings: nothing to sort.
    perform lock_resource(p_providers[1]);
    perform lock_resource(p_patients[1]);
    return;
  end if;
  for v_id in select distinct unnest(p_providers) order by 1 loop
    perform lock_resource(v_id);
  end loop;
  for v_id in select distinct unnest(p_patients) order by 1 loop
    perform lock_resource(v_id);
  end loop;
end $$;
grant execute on function lock_for_booking(uuid, uuid[], uuid[]) to mediconnect_app;
