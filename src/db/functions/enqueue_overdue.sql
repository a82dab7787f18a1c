-- The sweep: whatever is overdue by p_late is told again, at most one open row each, and not again within five minutes (swept_lately).
create or replace function enqueue_overdue(p_late interval, p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  declare
    told integer;
    total integer := 0;
  begin
    insert into outbox (clinic_id, aggregate, aggregate_id, event, version)
      select clinic_id, 'appointment', appointment_id, 'overdue', version from appointment
      where next_action_at < now() - p_late and not swept_lately(appointment_id) order by next_action_at limit p_limit
      on conflict do nothing;
    get diagnostics told = row_count;
    total := total + told;
    insert into outbox (clinic_id, aggregate, aggregate_id, event)
      select clinic_id, 'round', round_id, 'overdue' from waitlist_round
      where state = 'OPEN' and (deadline < now() - p_late or created_at < now() - interval '5 minutes') and not swept_lately(round_id)
      order by deadline limit p_limit
      on conflict do nothing;
    get diagnostics told = row_count;
    total := total + told;
    insert into outbox (clinic_id, aggregate, aggregate_id, event)
      select clinic_id, 'replay', replay_id, 'overdue' from replay
      where state = 'RUNNING' and created_at < now() - interval '5 minutes' and not swept_lately(replay_id) order by created_at limit p_limit
      on conflict do nothing;
    get diagnostics told = row_count;
    total := total + told;
    -- Overdue is a visit that nobody has taken up, an offer that has run out or was not told, and an end that nobody has written down.
    insert into outbox (clinic_id, aggregate, aggregate_id, event)
      select clinic_id, 'sick_day', sick_day_id, 'overdue' from sick_day d
      where state = 'RUNNING' and updated_at < now() - p_late and not swept_lately(sick_day_id)
        and (exists (select from due_items(d.sick_day_id, now()) where due_since < now() - p_late)
          or exists (select from offer o where o.sick_day_id = d.sick_day_id and o.state = 'OPEN'
            and o.told_at is null and o.created_at < now() - p_late)
          or not exists (select from sick_day_item i where i.sick_day_id = d.sick_day_id and i.is_open))
      order by created_at limit p_limit
      on conflict do nothing;
    get diagnostics told = row_count;
    return total + told;
  end $$;
grant execute on function enqueue_overdue(interval, integer) to mediconnect_relay;
