-- Booking compares this version under the provider's lock: whatever writes a rule raises it.
create or replace function raise_schedule_version() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'closure' then
    update provider set schedule_version = schedule_version + 1, updated_at = now()
      where clinic_id = coalesce(new.clinic_id, old.clinic_id);
  else
    update provider set schedule_version = schedule_version + 1, updated_at = now()
      where provider_id in (new.provider_id, old.provider_id);
  end if;
  return null;
end $$;
