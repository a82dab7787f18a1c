import { sql, type Kysely } from 'kysely';

/** The policy's limits on moving and on visits ahead, and what staff set aside on purpose. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- Policies written by an earlier release have no word on these: what they lacked was no limit.
    create function with_booking_rules(policy jsonb) returns jsonb language sql immutable
      as $$ select '{"moveNoticeMinutes": 0, "maxMovesPerAppointment": null, "maxUpcomingPerPatient": null, "maxUpcomingPerProviderAndPatient": null,
        "sickDay": {"steps": ["colleague", "other_day", "waitlist", "call"], "offerMinutes": 120, "searchDays": 14}}'::jsonb || policy $$;
    update clinic_policy set policy = with_booking_rules(policy);
    update clinic set policy = with_booking_rules(policy);
    drop function with_booking_rules(jsonb);

    alter table appointment
      add column moves integer not null default 0,
      add column override_rules text[] not null default '{}',
      add column override_reason text,
      add constraint appointment_override_has_reason check ((override_rules = '{}') = (override_reason is null));
  `.execute(db);
}
