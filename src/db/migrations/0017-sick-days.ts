import { sql, type Kysely } from 'kysely';

/** Sick days: what becomes of each visit of a provider who is suddenly away, the times that are offered instead, and the desk's calls. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sick_day (
      sick_day_id uuid primary key,
      clinic_id uuid not null references clinic,
      provider_id uuid not null,
      -- The absence, half-open. Its time off may be taken back; what the sick day did is still read from here.
      from_time timestamptz not null,
      to_time timestamptz not null,
      time_off_id uuid not null,
      reason text not null check (reason in ('illness', 'emergency', 'family', 'other')),
      state text not null check (state in ('RUNNING', 'PAUSED', 'STOPPED', 'FINISHED')),
      -- The clinic's policy as it was when the absence was entered.
      steps text[] not null check (steps <@ array['colleague', 'other_day', 'waitlist', 'call']),
      offer_minutes integer not null check (offer_minutes > 0),
      search_days integer not null check (search_days > 0),
      requested_by text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      finished_at timestamptz,
      constraint sick_day_in_clinic unique (clinic_id, sick_day_id),
      constraint sick_day_in_order check (from_time < to_time),
      constraint sick_day_ended_whole check ((state in ('STOPPED', 'FINISHED')) = (finished_at is not null)),
      foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id)
    );
    create index sick_day_of_clinic on sick_day (clinic_id, created_at desc);
    create index sick_day_live on sick_day (sick_day_id) where state in ('RUNNING', 'PAUSED');
    create trigger sick_day_is_touched before update on sick_day for each row execute function touch_updated_at();

    create table sick_day_item (
      sick_day_id uuid not null,
      clinic_id uuid not null references clinic,
      appointment_id uuid not null,
      -- The visit's start when the absence was entered: the order in which the items have their turn.
      visit_start timestamptz not null,
      state text not null check (state in ('PENDING', 'OFFERED', 'MOVED', 'WAITLISTED', 'CALL', 'GONE', 'STOPPED')),
      -- The step that is tried next or, while an offer is out, the one that made it.
      step_index integer not null default 0,
      reason text,
      updated_at timestamptz not null default now(),
      primary key (sick_day_id, appointment_id),
      foreign key (clinic_id, sick_day_id) references sick_day (clinic_id, sick_day_id),
      foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id)
    );
    create index sick_day_item_of_appointment on sick_day_item (appointment_id);
    create index sick_day_item_open on sick_day_item (sick_day_id, visit_start) where state in ('PENDING', 'OFFERED');
    create trigger sick_day_item_is_touched before update on sick_day_item for each row execute function touch_updated_at();

    create table move_offer (
      move_offer_id uuid primary key,
      clinic_id uuid not null references clinic,
      appointment_id uuid not null,
      -- The visit as it stood when the offer was made: whoever has changed it since has answered in another way.
      appointment_version integer not null,
      patient_id uuid not null,
      sick_day_id uuid not null,
      step text not null check (step in ('colleague', 'other_day')),
      provider_id uuid not null,
      slot_start timestamptz not null,
      duration_minutes integer not null check (duration_minutes between 1 and 1440),
      hold_id uuid not null,
      state text not null check (state in ('OPEN', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'WITHDRAWN')),
      expires_at timestamptz not null,
      -- When the broker had confirmed the message about it.
      told_at timestamptz,
      answered_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint move_offer_in_clinic unique (clinic_id, move_offer_id),
      foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
      foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id),
      foreign key (clinic_id, sick_day_id) references sick_day (clinic_id, sick_day_id),
      foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
      foreign key (clinic_id, hold_id) references hold (clinic_id, hold_id)
    );
    -- Whatever races: a visit has one open offer, so its patient has one question to answer.
    create unique index move_offer_one_open on move_offer (appointment_id) where state = 'OPEN';
    create index move_offer_of_sick_day on move_offer (sick_day_id, appointment_id);
    create index move_offer_of_patient on move_offer (patient_id);
    create trigger move_offer_is_touched before update on move_offer for each row execute function touch_updated_at();

    create table call_task (
      call_task_id uuid primary key,
      clinic_id uuid not null references clinic,
      appointment_id uuid not null,
      patient_id uuid not null,
      sick_day_id uuid not null,
      reason text not null,
      state text not null check (state in ('OPEN', 'DONE')),
      outcome text check (outcome in ('moved', 'cancelled', 'waitlisted', 'kept', 'not_reached')),
      created_at timestamptz not null default now(),
      done_at timestamptz,
      done_by text,
      constraint call_task_in_clinic unique (clinic_id, call_task_id),
      -- However often the workflow's activity runs: one call about one visit of one sick day.
      constraint call_task_once unique (sick_day_id, appointment_id),
      constraint call_task_done_whole check ((state = 'DONE') = (done_at is not null) and (done_at is null) = (outcome is null)
        and (done_at is null) = (done_by is null)),
      foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
      foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id),
      foreign key (clinic_id, sick_day_id) references sick_day (clinic_id, sick_day_id)
    );
    create index call_task_of_clinic on call_task (clinic_id, call_task_id);
    create index call_task_of_appointment on call_task (appointment_id) where state = 'OPEN';

    do $$
    declare
      t text;
    begin
      foreach t in array array['sick_day', 'sick_day_item', 'move_offer', 'call_task'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy clinic_rows on %I for all to mediconnect_app using (clinic_id = current_clinic())
          with check (clinic_id = current_clinic())', t);
      end loop;
    end $$;
    create policy own_rows on move_offer for select to mediconnect_app using (patient_id = current_patient());
    grant select, insert, update on sick_day, sick_day_item, move_offer, call_task to mediconnect_app;

    -- What a message offers, where it offers something.
    alter table notification
      add column move_offer_id uuid,
      add constraint notification_of_move_offer check ((kind = 'move_offer') = (move_offer_id is not null)),
      add constraint notification_clinic_id_move_offer_id_fkey foreign key (clinic_id, move_offer_id)
        references move_offer (clinic_id, move_offer_id);
    create index notification_move_offer on notification (move_offer_id) where move_offer_id is not null;

    alter table outbox drop constraint outbox_aggregate_check,
      add constraint outbox_aggregate_check check (aggregate in ('appointment', 'round', 'replay', 'ehr_sync', 'sick_day'));

    create function clinic_of_sick_day(p_sick_day uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
      as $$ select clinic_id from sick_day where sick_day_id = p_sick_day $$;
    create function clinic_of_call_task(p_call_task uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
      as $$ select clinic_id from call_task where call_task_id = p_call_task $$;
    grant execute on function clinic_of_sick_day(uuid), clinic_of_call_task(uuid) to mediconnect_app;

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
            and (exists (select from sick_day_item i where i.sick_day_id = d.sick_day_id and i.state = 'PENDING' and i.updated_at < now() - p_late)
              or exists (select from move_offer o where o.sick_day_id = d.sick_day_id and o.state = 'OPEN'
                and (o.expires_at < now() - p_late or o.told_at is null and o.created_at < now() - p_late))
              or not exists (select from sick_day_item i where i.sick_day_id = d.sick_day_id and i.state in ('PENDING', 'OFFERED')))
          order by created_at limit p_limit
          on conflict do nothing;
        get diagnostics told = row_count;
        return total + told;
      end $$;

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
  `.execute(db);
}
