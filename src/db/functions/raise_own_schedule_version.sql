create or replace function raise_own_schedule_version() returns trigger language plpgsql as $$
begin
  if new.max_daily_appointments <> old.max_daily_appointments and new.schedule_version = old.schedule_version then
    new.schedule_version := old.schedule_version + 1;
  end if;
  return new;
end $$;
