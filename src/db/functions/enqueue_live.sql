-- For when Temporal's data is lost: one page of what is live is told again; the next page comes after what `last` says (null: there was none).
-- Appointments come by when something is due for them, so that the most urgent have their workflows first; a plan that moves meanwhile was moved by a
-- workflow that lives. What is still to be told is not told twice.
create or replace function enqueue_live(p_what text, p_after jsonb, p_limit integer)
  returns table (told integer, last jsonb)
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
  declare
    v_due timestamptz := coalesce((p_after ->> 'due')::timestamptz, '-infinity');
    v_id uuid := coalesce((p_after ->> 'id')::uuid, '00000000-0000-0000-0000-000000000000');
  begin
    with page (clinic_id, aggregate, id, version, due) as materialized (
      (select clinic_id, 'appointment', appointment_id, version, next_action_at from appointment
        where p_what = 'planned appointments' and next_action_at is not null and (next_action_at, appointment_id) > (v_due, v_id)
        order by next_action_at, appointment_id limit p_limit)
      union all
      (select clinic_id, 'appointment', appointment_id, version, '-infinity' from appointment
        where p_what = 'other appointments' and status = 'SCHEDULED' and next_action_at is null and appointment_id > v_id
        order by appointment_id limit p_limit)
      union all
      (select clinic_id, 'round', round_id, null, '-infinity' from waitlist_round
        where p_what = 'rounds' and state = 'OPEN' and round_id > v_id order by round_id limit p_limit)
      union all
      (select clinic_id, 'replay', replay_id, null, '-infinity' from replay
        where p_what = 'replays' and state in ('RUNNING', 'PAUSED') and replay_id > v_id order by replay_id limit p_limit)
      union all
      (select clinic_id, 'sick_day', sick_day_id, null, '-infinity' from sick_day
        where p_what = 'sick days' and state in ('RUNNING', 'PAUSED') and sick_day_id > v_id order by sick_day_id limit p_limit)
    ), telling as (
      insert into outbox (clinic_id, aggregate, aggregate_id, event, version)
        select clinic_id, aggregate, id, 'overdue', version from page order by due, id
        on conflict do nothing
        returning outbox_id
    )
    select (select count(*) from telling),
      (select jsonb_build_object('due', due, 'id', id) from page order by page.due desc, page.id desc limit 1)
      into told, last;
    return next;
  end $$;
grant execute on function enqueue_live(text, jsonb, integer) to mediconnect_relay;
