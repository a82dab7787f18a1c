/*
 * Guards that a test takes away, as SQL for the database's owner: what holds must then be something else, and what does not must be seen to fall.
 */

/** Nobody sees that a time is taken before they write. */
export const BLINDED = `create or replace function busy_ranges(p_resource uuid, p_during tstzrange)
  returns table (from_time timestamptz, to_time timestamptz, purpose text, visit_start timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select now(), now(), '', now() where false $$`;

/** As {@link BLINDED}, and each dawdles before they write. */
export const BLINDED_AND_SLOW = `create or replace function busy_ranges(p_resource uuid, p_during tstzrange)
  returns table (from_time timestamptz, to_time timestamptz, purpose text, visit_start timestamptz)
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$ begin perform pg_sleep(0.01); end $$`;

/** Whoever looks sees what there is and then dawdles: racers meet on a machine of any speed. */
export const SLOW_LOOK = `create or replace function busy_ranges(p_resource uuid, p_during tstzrange)
  returns table (from_time timestamptz, to_time timestamptz, purpose text, visit_start timestamptz)
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  begin
    return query select lower(r.during), upper(r.during), r.purpose, coalesce(r.visit_start, lower(r.during)) from reservation r
      where r.resource_id = p_resource and r.during && p_during and (r.expires_at is null or r.expires_at > now());
    perform pg_sleep(0.01);
  end $$`;
