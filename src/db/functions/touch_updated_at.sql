-- A message's text is made from these: when they last changed decides whether a look-up at the provider proves anything.
create or replace function touch_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;
