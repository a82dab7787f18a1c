create or replace function remember_policy_version() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.policy is distinct from old.policy then
    new.policy_version := old.policy_version + 1;
  end if;
  return new;
end $$;
