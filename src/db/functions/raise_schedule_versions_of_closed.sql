-- By row, a file of a hundred holidays would write every provider of the clinic a hundred times.
create or replace function raise_schedule_versions_of_closed() returns trigger language plpgsql as $$
begin
  update provider set schedule_version = schedule_version + 1
    where clinic_id in (select clinic_id from changed);
  return null;
end $$;
