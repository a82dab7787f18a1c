import { sql, type Kysely } from 'kysely';

/**
 * The short list of SECURITY DEFINER functions: ids in; clinic ids, time ranges or counts out, and nothing else.
 * `&&` is not leakproof, so row-level security would keep it out of the index: hence `busy_ranges`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function clinic_of_provider(p_provider uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
      as $$ select clinic_id from provider where provider_id = p_provider $$;
    create function clinic_of_appointment(p_appointment uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
      as $$ select clinic_id from appointment where appointment_id = p_appointment $$;
    create function clinic_of_notification(p_notification uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
      as $$ select clinic_id from notification where notification_id = p_notification $$;
    create function clinics_with_ehr() returns setof uuid language sql stable security definer set search_path = public, pg_temp
      as $$ select clinic_id from ehr_connection order by clinic_id $$;

    create function busy_ranges(p_resource uuid, p_during tstzrange)
      returns table (from_time timestamptz, to_time timestamptz, purpose text)
      language sql stable security definer set search_path = public, pg_temp
      as $$
        select lower(during), upper(during), purpose from reservation
        where resource_id = p_resource and during && p_during and (expires_at is null or expires_at > now())
        order by lower(during)
      $$;

    create function expire_reservations(p_resource uuid, p_during tstzrange) returns integer
      language plpgsql volatile security definer set search_path = public, pg_temp
      as $$
      declare removed integer;
      begin
        delete from reservation where resource_id = p_resource and expires_at <= now() and during && p_during;
        get diagnostics removed = row_count;
        return removed;
      end $$;

    grant execute on function clinic_of_provider(uuid), clinic_of_appointment(uuid), clinic_of_notification(uuid), clinics_with_ehr(),
      busy_ranges(uuid, tstzrange), expire_reservations(uuid, tstzrange) to mediconnect_app;

    -- The sweep: whatever is overdue by p_late is told again, at most one open row each, and not again within five minutes, so that rows nobody can
    -- help do not keep the others from their turn.
    create function swept_lately(p_aggregate uuid) returns boolean language sql stable set search_path = public, pg_temp
      as $$
        select exists (select from outbox where aggregate_id = p_aggregate and event = 'overdue'
          and (created_at > now() - interval '5 minutes' or (done_at is null and parked_reason is null)))
      $$;
    create function enqueue_overdue(p_late interval, p_limit integer) returns integer
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
        return total + told;
      end $$;

    -- For when Temporal's data is lost: every live appointment, open round and running replay is told again.
    create function enqueue_everything_live() returns integer
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
        return total + told;
      end $$;

    grant execute on function enqueue_overdue(interval, integer), enqueue_everything_live() to mediconnect_relay;
  `.execute(db);
}
