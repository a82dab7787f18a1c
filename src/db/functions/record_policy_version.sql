create or replace function record_policy_version() returns trigger language plpgsql as $$
begin
  insert into clinic_policy (clinic_id, policy_version, policy) values (new.clinic_id, new.policy_version, new.policy)
    on conflict do nothing;
  return null;
end $$;
