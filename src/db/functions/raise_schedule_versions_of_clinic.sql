-- A provider's answer tells the clinic's zone, so both of its versions rise with it.
create or replace function raise_schedule_versions_of_clinic() returns trigger language plpgsql as $$
begin
  if new.time_zone <> old.time_zone then
    update provider set schedule_version = schedule_version + 1, version = version + 1 where clinic_id = new.clinic_id;
  end if;
  return null;
end $$;
