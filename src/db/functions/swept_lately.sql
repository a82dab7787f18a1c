-- Told within five minutes, or still to be told: so that rows nobody can help do not keep the others from their turn.
create or replace function swept_lately(p_aggregate uuid) returns boolean language sql stable set search_path = public, pg_temp
  as $$
    select exists (select from outbox where aggregate_id = p_aggregate and event = 'overdue'
      and (created_at > now() - interval '5 minutes' or (done_at is null and parked_reason is null)))
  $$;
