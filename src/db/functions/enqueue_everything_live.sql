-- For when Temporal's data is lost: every live appointment, open round, running replay and sick day is told again.
create or replace function enqueue_everything_live() returns integer
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  declare
    told integer;
    total integer := 0;
  begin
    insert into outbox (clinic_id, aggregate, aggregate_id, event, version)
      select clinic_id, 'appointment', appointment_id, 'overdue', version from appointment
      where status = 'SCHEDULED' or next_action_at is not null
      on conflict do nothing;
    get diagnostics told = row_count;
    total := total + told;
    insert into outbox (clinic_id, aggregate, aggregate_id, event)
      select clinic_id, 'round', round_id, 'overdue' from waitlist_round where state = 'OPEN'
      on conflict do nothing;
    get diagnostics told = row_count;
    total := total + told;
    insert into outbox (clinic_id, aggregate, aggregate_id, event)
      select clinic_id, 'replay', replay_id, 'overdue' from replay where state = 'RUNNING'
      on conflict do nothing;
    get diagnostics told = row_count;
    total := total + told;
    insert into outbox (clinic_id, aggregate, aggregate_id, event)
      select clinic_id, 'sick_day', sick_day_id, 'overdue' from sick_day where state in ('RUNNING', 'PAUSED')
      on conflict do nothing;
    get diagnostics told = row_count;
    return total + told;
  end $$;
grant execute on function enqueue_everything_live() to mediconnect_relay;
