-- What the migrations come to: made by `npm run build:schema`, compared by a test, and never run.
-- Comments and reasons are in migrations/, the bodies of the functions in functions/.

create table appointment (
  appointment_id uuid not null,
  patient_id uuid not null,
  provider_id uuid not null,
  clinic_id uuid not null,
  appointment_time timestamp with time zone not null,
  duration_minutes integer not null,
  status character varying(20) not null,
  confirmation_code text not null,
  booked_via text not null,
  time_set_at timestamp with time zone not null default now(),
  time_set_version integer not null default 1,
  checked_in_at timestamp with time zone,
  cancelled_at timestamp with time zone,
  cancelled_by text,
  cancel_reason text,
  cancelled_late boolean,
  policy_version integer not null,
  moves integer not null default 0,
  override_rules text[] not null default '{}'::text[],
  override_reason text,
  series_id uuid,
  series_index integer,
  notice_visits integer not null default 1,
  announced_by uuid,
  next_action text,
  next_action_at timestamp with time zone,
  reminder_state text not null default 'PLANNED'::text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  version integer not null default 1,
  ehr_version integer not null default 0,
  constraint appointment_announced CHECK (((announced_by IS NULL) OR ((series_id IS NOT NULL) AND (notice_visits = 1)))),
  constraint appointment_booked_via_check CHECK ((booked_via = ANY (ARRAY['api'::text, 'waitlist'::text]))),
  constraint appointment_cancelled_by_check CHECK ((cancelled_by = ANY (ARRAY['patient'::text, 'staff'::text, 'system'::text, 'ehr'::text]))),
  constraint appointment_cancelled_whole CHECK ((((status)::text = 'CANCELLED'::text) = (cancelled_at IS NOT NULL))),
  constraint appointment_clinic_id_announced_by_fkey FOREIGN KEY (clinic_id, announced_by) REFERENCES appointment(clinic_id, appointment_id),
  constraint appointment_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint appointment_clinic_id_patient_id_fkey FOREIGN KEY (clinic_id, patient_id) REFERENCES registration(clinic_id, patient_id),
  constraint appointment_clinic_id_policy_version_fkey FOREIGN KEY (clinic_id, policy_version) REFERENCES clinic_policy(clinic_id, policy_version),
  constraint appointment_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint appointment_clinic_id_series_id_fkey FOREIGN KEY (clinic_id, series_id) REFERENCES appointment_series(clinic_id, series_id),
  constraint appointment_confirmation_code_check CHECK ((length(confirmation_code) = 6)),
  constraint appointment_confirmation_code_unique UNIQUE (clinic_id, confirmation_code),
  constraint appointment_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 1440))),
  constraint appointment_in_clinic UNIQUE (clinic_id, appointment_id),
  constraint appointment_notice_visits_check CHECK (((notice_visits >= 1) AND (notice_visits <= 26))),
  constraint appointment_override_has_reason CHECK (((override_rules = '{}'::text[]) = (override_reason IS NULL))),
  constraint appointment_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES patient(patient_id),
  constraint appointment_pkey PRIMARY KEY (appointment_id),
  constraint appointment_series_once UNIQUE (series_id, series_index),
  constraint appointment_series_whole CHECK (((series_id IS NULL) = (series_index IS NULL))),
  constraint appointment_status_check CHECK (((status)::text = ANY ((ARRAY['SCHEDULED'::character varying, 'COMPLETED'::character varying, 'CANCELLED'::character varying, 'NO_SHOW'::character varying])::text[])))
);
comment on table appointment is 'Stays.';
CREATE INDEX appointment_ahead_of_ehr ON appointment (clinic_id, appointment_id) WHERE (ehr_version < version);
CREATE INDEX appointment_announced_by ON appointment (announced_by) WHERE (announced_by IS NOT NULL);
CREATE INDEX appointment_due ON appointment (next_action_at, appointment_id) WHERE (next_action_at IS NOT NULL);
CREATE INDEX appointment_of_clinic ON appointment (clinic_id, appointment_time, appointment_id);
CREATE INDEX appointment_patient ON appointment (patient_id, appointment_time);
CREATE INDEX appointment_provider ON appointment (provider_id, appointment_time);
CREATE INDEX appointment_scheduled ON appointment (clinic_id, appointment_time, appointment_id) WHERE ((status)::text = 'SCHEDULED'::text);
alter table appointment enable row level security;
create policy clinic_rows on appointment for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy own_rows on appointment for select to mediconnect_app using (patient_id = current_patient());
grant insert, select, update on appointment to mediconnect_app;

create table appointment_series (
  series_id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  provider_id uuid not null,
  every_weeks integer not null,
  count integer not null,
  created_at timestamp with time zone not null default now(),
  constraint appointment_series_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint appointment_series_clinic_id_patient_id_fkey FOREIGN KEY (clinic_id, patient_id) REFERENCES registration(clinic_id, patient_id),
  constraint appointment_series_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint appointment_series_count_check CHECK (((count >= 2) AND (count <= 26))),
  constraint appointment_series_every_weeks_check CHECK (((every_weeks >= 1) AND (every_weeks <= 52))),
  constraint appointment_series_in_clinic UNIQUE (clinic_id, series_id),
  constraint appointment_series_pkey PRIMARY KEY (series_id)
);
comment on table appointment_series is 'Stays.';
alter table appointment_series enable row level security;
create policy clinic_rows on appointment_series for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy own_rows on appointment_series for select to mediconnect_app using (patient_id = current_patient());
grant insert, select on appointment_series to mediconnect_app;

create table audit_event (
  audit_id bigint not null generated always as identity,
  clinic_id uuid,
  entity text not null,
  entity_id uuid not null,
  action text not null,
  actor_kind text not null,
  actor_id text not null,
  request_id text,
  detail jsonb not null default '{}'::jsonb,
  occurred_at timestamp with time zone not null default now(),
  constraint audit_event_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint audit_event_pkey PRIMARY KEY (audit_id)
);
comment on table audit_event is 'Stays.';
CREATE INDEX audit_event_entity ON audit_event (entity_id, audit_id);
alter table audit_event enable row level security;
create policy clinic_rows on audit_event for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy own_changes on audit_event for insert to mediconnect_app with check ((clinic_id IS NULL) AND (entity = 'patient'::text) AND (entity_id = current_patient()));
grant insert, select on audit_event to mediconnect_app;

create table availability (
  availability_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  day_of_week integer not null,
  start_time time without time zone not null,
  end_time time without time zone not null,
  constraint availability_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint availability_day_of_week_check CHECK (((day_of_week >= 1) AND (day_of_week <= 7))),
  constraint availability_pkey PRIMARY KEY (availability_id)
);
comment on table availability is 'Goes when the desk replaces it.';
CREATE INDEX availability_provider ON availability (provider_id);
CREATE TRIGGER availability_raises_version AFTER INSERT OR DELETE OR UPDATE ON availability FOR EACH ROW EXECUTE FUNCTION raise_schedule_version();
alter table availability enable row level security;
create policy clinic_rows on availability for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on availability to mediconnect_app;

create table availability_override (
  availability_override_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  date date not null,
  start_time time without time zone,
  end_time time without time zone,
  constraint availability_override_both_or_neither CHECK (((start_time IS NULL) = (end_time IS NULL))),
  constraint availability_override_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint availability_override_pkey PRIMARY KEY (availability_override_id)
);
comment on table availability_override is 'Goes when the desk takes it back.';
CREATE INDEX availability_override_provider ON availability_override (provider_id, date);
CREATE TRIGGER availability_override_raises_version AFTER INSERT OR DELETE OR UPDATE ON availability_override FOR EACH ROW EXECUTE FUNCTION raise_schedule_version();
alter table availability_override enable row level security;
create policy clinic_rows on availability_override for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on availability_override to mediconnect_app;

create table clinic (
  clinic_id uuid not null,
  name character varying(100) not null,
  slug text not null,
  phone text,
  time_zone text not null,
  policy jsonb not null,
  policy_version integer not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  version integer not null default 1,
  constraint clinic_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
  constraint clinic_pkey PRIMARY KEY (clinic_id),
  constraint clinic_slug_check CHECK ((slug ~ '^[a-z0-9-]{1,40}$'::text)),
  constraint clinic_slug_unique UNIQUE (slug)
);
comment on table clinic is 'Stays.';
CREATE TRIGGER clinic_is_touched BEFORE UPDATE ON clinic FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER clinic_policy_is_recorded AFTER INSERT OR UPDATE ON clinic FOR EACH ROW EXECUTE FUNCTION record_policy_version();
CREATE TRIGGER clinic_policy_raises_version BEFORE UPDATE ON clinic FOR EACH ROW EXECUTE FUNCTION remember_policy_version();
CREATE TRIGGER clinic_raises_version BEFORE UPDATE ON clinic FOR EACH ROW WHEN ((((((old.name)::text IS DISTINCT FROM (new.name)::text) OR (old.slug IS DISTINCT FROM new.slug)) OR (old.time_zone IS DISTINCT FROM new.time_zone)) OR (old.policy IS DISTINCT FROM new.policy))) EXECUTE FUNCTION raise_version();
CREATE TRIGGER clinic_raises_versions AFTER UPDATE ON clinic FOR EACH ROW EXECUTE FUNCTION raise_schedule_versions_of_clinic();
alter table clinic enable row level security;
create policy clinic_rows on clinic for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy clinics_of_patient on clinic for select to mediconnect_app using (EXISTS ( SELECT
   FROM registration r
  WHERE ((r.clinic_id = clinic.clinic_id) AND (r.patient_id = current_patient()))));
grant delete, insert, select, update on clinic to mediconnect_app;

create table clinic_policy (
  clinic_id uuid not null,
  policy_version integer not null,
  policy jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint clinic_policy_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint clinic_policy_pkey PRIMARY KEY (clinic_id, policy_version)
);
comment on table clinic_policy is 'Stays: visits keep the policy they were promised.';
alter table clinic_policy enable row level security;
create policy clinic_rows on clinic_policy for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select on clinic_policy to mediconnect_app;

create table closure (
  closure_id uuid not null,
  clinic_id uuid not null,
  from_date date not null,
  to_date date not null,
  name character varying(100) not null,
  yearly boolean not null default false,
  calendar_uid text,
  constraint closure_calendar_uid_check CHECK (((length(calendar_uid) >= 1) AND (length(calendar_uid) <= 255))),
  constraint closure_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint closure_in_order CHECK ((from_date <= to_date)),
  constraint closure_pkey PRIMARY KEY (closure_id),
  constraint closure_yearly_within_a_year CHECK (((NOT yearly) OR (to_date < (from_date + '1 year'::interval))))
);
comment on table closure is 'Goes when the desk or a calendar file takes it back.';
CREATE INDEX closure_clinic ON closure (clinic_id, from_date);
CREATE UNIQUE INDEX closure_of_calendar ON closure (clinic_id, calendar_uid, from_date) WHERE (calendar_uid IS NOT NULL);
CREATE TRIGGER closure_added_raises_version AFTER INSERT ON closure REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_schedule_versions_of_closed();
CREATE TRIGGER closure_changed_raises_version AFTER UPDATE ON closure REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_schedule_versions_of_closed();
CREATE TRIGGER closure_removed_raises_version AFTER DELETE ON closure REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_schedule_versions_of_closed();
alter table closure enable row level security;
create policy clinic_rows on closure for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on closure to mediconnect_app;

create table delivery_attempt (
  clinic_id uuid not null,
  notification_id uuid not null,
  attempt integer not null,
  started_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  outcome text,
  error_code text,
  provider_message_id text,
  text_hash text,
  constraint delivery_attempt_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint delivery_attempt_clinic_id_notification_id_fkey FOREIGN KEY (clinic_id, notification_id) REFERENCES notification(clinic_id, notification_id),
  constraint delivery_attempt_pkey PRIMARY KEY (notification_id, attempt)
);
comment on table delivery_attempt is 'Goes after 90 days.';
CREATE INDEX delivery_attempt_age ON delivery_attempt (started_at);
alter table delivery_attempt enable row level security;
create policy clinic_rows on delivery_attempt for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select, update on delivery_attempt to mediconnect_app;

create table ehr_connection (
  clinic_id uuid not null,
  base_url text not null,
  capabilities jsonb not null default '{}'::jsonb,
  constraint ehr_connection_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint ehr_connection_pkey PRIMARY KEY (clinic_id)
);
comment on table ehr_connection is 'Stays.';
alter table ehr_connection enable row level security;
create policy clinic_rows on ehr_connection for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on ehr_connection to mediconnect_app;

create table ehr_link (
  appointment_id uuid not null,
  clinic_id uuid not null,
  ehr_id text,
  ehr_version text,
  synced_version integer not null default 0,
  snapshot jsonb,
  state text not null,
  reason text,
  synced_at timestamp with time zone,
  constraint ehr_link_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint ehr_link_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint ehr_link_pkey PRIMARY KEY (appointment_id),
  constraint ehr_link_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'IN_EHR'::text, 'REFUSED'::text, 'UNKNOWN'::text])))
);
comment on table ehr_link is 'Stays.';
CREATE INDEX ehr_link_refused ON ehr_link (clinic_id) WHERE (state = 'REFUSED'::text);
alter table ehr_link enable row level security;
create policy clinic_rows on ehr_link for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on ehr_link to mediconnect_app;

create table ehr_sync_item (
  run_id uuid not null,
  clinic_id uuid not null,
  appointment_id uuid not null,
  appointment_version integer not null,
  outcome text not null,
  reason text,
  ehr_id text,
  recorded_at timestamp with time zone not null default now(),
  constraint ehr_sync_item_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint ehr_sync_item_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint ehr_sync_item_clinic_id_run_id_fkey FOREIGN KEY (clinic_id, run_id) REFERENCES ehr_sync_run(clinic_id, run_id),
  constraint ehr_sync_item_outcome_check CHECK ((outcome = ANY (ARRAY['CREATED'::text, 'UPDATED'::text, 'UNCHANGED'::text, 'PARKED'::text]))),
  constraint ehr_sync_item_pkey PRIMARY KEY (run_id, appointment_id)
);
comment on table ehr_sync_item is 'Goes with its run.';
alter table ehr_sync_item enable row level security;
create policy clinic_rows on ehr_sync_item for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on ehr_sync_item to mediconnect_app;

create table ehr_sync_run (
  run_id uuid not null,
  clinic_id uuid not null,
  trigger text not null,
  state text not null,
  created integer not null default 0,
  updated integer not null default 0,
  unchanged integer not null default 0,
  parked integer not null default 0,
  reason text,
  started_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint ehr_sync_run_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint ehr_sync_run_in_clinic UNIQUE (clinic_id, run_id),
  constraint ehr_sync_run_pkey PRIMARY KEY (run_id),
  constraint ehr_sync_run_state_check CHECK ((state = ANY (ARRAY['RUNNING'::text, 'FINISHED'::text, 'FAILED'::text]))),
  constraint ehr_sync_run_trigger_check CHECK ((trigger = ANY (ARRAY['nightly'::text, 'on_demand'::text])))
);
comment on table ehr_sync_run is 'Goes 90 days after its end.';
CREATE INDEX ehr_sync_run_clinic ON ehr_sync_run (clinic_id, started_at);
alter table ehr_sync_run enable row level security;
create policy clinic_rows on ehr_sync_run for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on ehr_sync_run to mediconnect_app;

create table hold (
  hold_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  slot_start timestamp with time zone not null,
  duration_minutes integer not null,
  held_by text not null,
  state text not null,
  expires_at timestamp with time zone not null,
  judged_at timestamp with time zone not null default now(),
  extended_at timestamp with time zone,
  appointment_id uuid,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint hold_booked_whole CHECK (((state = 'BOOKED'::text) = (appointment_id IS NOT NULL))),
  constraint hold_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint hold_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint hold_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint hold_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 1440))),
  constraint hold_in_clinic UNIQUE (clinic_id, hold_id),
  constraint hold_pkey PRIMARY KEY (hold_id),
  constraint hold_state_check CHECK ((state = ANY (ARRAY['LIVE'::text, 'BOOKED'::text, 'RELEASED'::text])))
);
comment on table hold is 'Goes 7 days after it has run out, unless it belongs to an offer: then it stays.';
CREATE INDEX hold_live ON hold (held_by) WHERE (state = 'LIVE'::text);
CREATE TRIGGER hold_is_touched BEFORE UPDATE ON hold FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
alter table hold enable row level security;
create policy clinic_rows on hold for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select, update on hold to mediconnect_app;

create table idempotency_key (
  caller text not null,
  route text not null,
  key text not null,
  fingerprint text not null,
  response jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_key_pkey PRIMARY KEY (caller, route, key)
);
comment on table idempotency_key is 'Goes after 3 days.';
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
alter table idempotency_key enable row level security;
create policy own_keys on idempotency_key for all to mediconnect_app using (caller = current_caller()) with check (caller = current_caller());
grant insert, select on idempotency_key to mediconnect_app;

create table migration (
  name text not null,
  applied_at timestamp with time zone not null default now(),
  constraint migration_pkey PRIMARY KEY (name)
);
comment on table migration is 'Stays.';
grant select on migration to mediconnect_app;
grant select on migration to mediconnect_relay;

create table notification (
  notification_id uuid not null,
  clinic_id uuid not null,
  appointment_id uuid not null,
  patient_id uuid not null,
  kind text not null,
  channel text not null,
  state text not null,
  planned_for timestamp with time zone not null,
  appointment_version integer not null,
  due_at timestamp with time zone not null,
  attempt integer not null default 0,
  first_attempt integer not null default 1,
  sending_until timestamp with time zone,
  provider_message_id text,
  reason text,
  request_id text,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  accepted_at timestamp with time zone,
  settled_at timestamp with time zone,
  offer_id uuid,
  told_provider_id uuid,
  told_minutes integer,
  constraint notification_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'email'::text]))),
  constraint notification_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint notification_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint notification_clinic_id_offer_id_fkey FOREIGN KEY (clinic_id, offer_id) REFERENCES offer(clinic_id, offer_id),
  constraint notification_in_clinic UNIQUE (clinic_id, notification_id),
  constraint notification_of_offer CHECK (((kind = 'move_offer'::text) = (offer_id IS NOT NULL))),
  constraint notification_pkey PRIMARY KEY (notification_id),
  constraint notification_state_check CHECK ((state = ANY (ARRAY['PLANNED'::text, 'QUEUED'::text, 'SENDING'::text, 'RETRY'::text, 'ACCEPTED'::text, 'DELIVERED'::text, 'FAILED'::text, 'UNKNOWN'::text, 'SKIPPED'::text]))),
  constraint notification_told_provider_fkey FOREIGN KEY (clinic_id, told_provider_id) REFERENCES provider(clinic_id, provider_id)
);
comment on table notification is 'Stays.';
CREATE INDEX notification_appointment ON notification (appointment_id);
CREATE INDEX notification_failed ON notification (clinic_id, updated_at) WHERE (state = ANY (ARRAY['FAILED'::text, 'UNKNOWN'::text]));
CREATE INDEX notification_of_clinic ON notification (clinic_id, created_at, notification_id);
CREATE INDEX notification_offer ON notification (offer_id) WHERE (offer_id IS NOT NULL);
CREATE INDEX notification_patient ON notification (patient_id, created_at);
CREATE UNIQUE INDEX notification_provider_message ON notification (channel, provider_message_id) WHERE (provider_message_id IS NOT NULL);
alter table notification enable row level security;
create policy clinic_rows on notification for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select, update on notification to mediconnect_app;

create table offer (
  offer_id uuid not null,
  clinic_id uuid not null,
  purpose text not null,
  appointment_id uuid not null,
  appointment_version integer not null,
  patient_id uuid not null,
  sick_day_id uuid,
  step text,
  provider_id uuid not null,
  slot_start timestamp with time zone not null,
  duration_minutes integer not null,
  hold_id uuid not null,
  state text not null,
  expires_at timestamp with time zone not null,
  told_at timestamp with time zone,
  answered_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint offer_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint offer_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint offer_clinic_id_hold_id_fkey FOREIGN KEY (clinic_id, hold_id) REFERENCES hold(clinic_id, hold_id),
  constraint offer_clinic_id_patient_id_fkey FOREIGN KEY (clinic_id, patient_id) REFERENCES registration(clinic_id, patient_id),
  constraint offer_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint offer_clinic_id_sick_day_id_fkey FOREIGN KEY (clinic_id, sick_day_id) REFERENCES sick_day(clinic_id, sick_day_id),
  constraint offer_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 1440))),
  constraint offer_in_clinic UNIQUE (clinic_id, offer_id),
  constraint offer_of_sick_day CHECK ((((purpose = 'sick_day'::text) = (sick_day_id IS NOT NULL)) AND ((sick_day_id IS NULL) = (step IS NULL)))),
  constraint offer_pkey PRIMARY KEY (offer_id),
  constraint offer_purpose_check CHECK ((purpose = 'sick_day'::text)),
  constraint offer_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'ACCEPTED'::text, 'DECLINED'::text, 'EXPIRED'::text, 'WITHDRAWN'::text]))),
  constraint offer_step_check CHECK ((step = ANY (ARRAY['colleague'::text, 'other_day'::text])))
);
comment on table offer is 'Stays.';
CREATE INDEX offer_of_hold ON offer (clinic_id, hold_id);
CREATE INDEX offer_of_patient ON offer (patient_id);
CREATE INDEX offer_of_sick_day ON offer (sick_day_id, appointment_id);
CREATE UNIQUE INDEX offer_one_open ON offer (appointment_id) WHERE (state = 'OPEN'::text);
CREATE TRIGGER offer_is_touched BEFORE UPDATE ON offer FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
alter table offer enable row level security;
create policy clinic_rows on offer for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy own_rows on offer for select to mediconnect_app using (patient_id = current_patient());
grant insert, select, update on offer to mediconnect_app;

create table opt_out (
  clinic_id uuid not null,
  channel text not null,
  address text not null,
  reason text not null,
  created_at timestamp with time zone not null default now(),
  constraint opt_out_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'email'::text]))),
  constraint opt_out_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint opt_out_pkey PRIMARY KEY (clinic_id, channel, address)
);
comment on table opt_out is 'Stays.';
alter table opt_out enable row level security;
create policy clinic_rows on opt_out for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select on opt_out to mediconnect_app;

create table outbox (
  outbox_id bigint not null generated always as identity,
  clinic_id uuid not null,
  aggregate text not null,
  aggregate_id uuid not null,
  event text not null,
  version integer,
  schema_version integer not null default 1,
  request_id text,
  traceparent text,
  attempts integer not null default 0,
  available_at timestamp with time zone not null default now(),
  lease_until timestamp with time zone,
  done_at timestamp with time zone,
  parked_reason text,
  created_at timestamp with time zone not null default now(),
  constraint outbox_aggregate_check CHECK ((aggregate = ANY (ARRAY['appointment'::text, 'round'::text, 'replay'::text, 'ehr_sync'::text, 'sick_day'::text]))),
  constraint outbox_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint outbox_pkey PRIMARY KEY (outbox_id)
);
comment on table outbox is 'Goes 7 days after it was told, or 90 days after it was written when it is parked.';
CREATE INDEX outbox_open ON outbox (((event = 'overdue'::text)), outbox_id) WHERE ((done_at IS NULL) AND (parked_reason IS NULL));
CREATE INDEX outbox_parked ON outbox (created_at) WHERE (parked_reason IS NOT NULL);
CREATE INDEX outbox_swept ON outbox (aggregate_id, created_at) WHERE (event = 'overdue'::text);
CREATE INDEX outbox_told ON outbox (done_at) WHERE (done_at IS NOT NULL);
CREATE UNIQUE INDEX outbox_one_open_sweep ON outbox (aggregate_id) WHERE ((event = 'overdue'::text) AND (done_at IS NULL) AND (parked_reason IS NULL));
alter table outbox enable row level security;
create policy clinic_rows on outbox for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy relay_rows on outbox for all to mediconnect_relay using true with check true;
grant insert, select on outbox to mediconnect_app;
grant insert, select, update on outbox to mediconnect_relay;

create table patient (
  patient_id uuid not null,
  given_name character varying(100) not null,
  family_name character varying(100) not null,
  birth_date date not null,
  phone text,
  email text,
  locale text not null,
  time_zone text not null,
  preferred_channel text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  version integer not null default 1,
  constraint patient_email_check CHECK ((POSITION(('@'::text) IN (email)) > 1)),
  constraint patient_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
  constraint patient_pkey PRIMARY KEY (patient_id),
  constraint patient_preferred_channel_check CHECK ((preferred_channel = ANY (ARRAY['sms'::text, 'email'::text])))
);
comment on table patient is 'Stays.';
CREATE TRIGGER patient_is_touched BEFORE UPDATE ON patient FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER patient_raises_version BEFORE UPDATE ON patient FOR EACH ROW WHEN ((((((((((old.given_name)::text IS DISTINCT FROM (new.given_name)::text) OR ((old.family_name)::text IS DISTINCT FROM (new.family_name)::text)) OR (old.birth_date IS DISTINCT FROM new.birth_date)) OR (old.phone IS DISTINCT FROM new.phone)) OR (old.email IS DISTINCT FROM new.email)) OR (old.locale IS DISTINCT FROM new.locale)) OR (old.time_zone IS DISTINCT FROM new.time_zone)) OR (old.preferred_channel IS DISTINCT FROM new.preferred_channel))) EXECUTE FUNCTION raise_version();
alter table patient enable row level security;
create policy own_rows on patient for all to mediconnect_app using (patient_id = current_patient()) with check (patient_id = current_patient());
create policy registered_patients on patient for select to mediconnect_app using (EXISTS ( SELECT
   FROM registration r
  WHERE ((r.patient_id = patient.patient_id) AND (r.clinic_id = current_clinic()))));
create policy registered_patients_change on patient for update to mediconnect_app using (EXISTS ( SELECT
   FROM registration r
  WHERE ((r.patient_id = patient.patient_id) AND (r.clinic_id = current_clinic()))));
grant insert, select, update on patient to mediconnect_app;

create table provider (
  provider_id uuid not null,
  clinic_id uuid not null,
  name character varying(100) not null,
  specialty character varying(50) not null,
  max_daily_appointments integer not null,
  schedule_version integer not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  version integer not null default 1,
  constraint provider_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint provider_max_daily_appointments_check CHECK ((max_daily_appointments > 0)),
  constraint provider_of_clinic UNIQUE (clinic_id, provider_id),
  constraint provider_pkey PRIMARY KEY (provider_id)
);
comment on table provider is 'Stays.';
CREATE TRIGGER provider_is_touched BEFORE UPDATE ON provider FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER provider_raises_own_version BEFORE UPDATE ON provider FOR EACH ROW WHEN (((((old.name)::text IS DISTINCT FROM (new.name)::text) OR ((old.specialty)::text IS DISTINCT FROM (new.specialty)::text)) OR (old.max_daily_appointments IS DISTINCT FROM new.max_daily_appointments))) EXECUTE FUNCTION raise_version();
CREATE TRIGGER provider_raises_version BEFORE UPDATE ON provider FOR EACH ROW EXECUTE FUNCTION raise_own_schedule_version();
alter table provider enable row level security;
create policy clinic_rows on provider for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy providers_of_patient on provider for select to mediconnect_app using (EXISTS ( SELECT
   FROM registration r
  WHERE ((r.clinic_id = provider.clinic_id) AND (r.patient_id = current_patient()))));
grant delete, insert, select, update on provider to mediconnect_app;

create table provider_break (
  provider_break_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  day_of_week integer not null,
  start_time time without time zone not null,
  end_time time without time zone not null,
  constraint provider_break_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint provider_break_day_of_week_check CHECK (((day_of_week >= 1) AND (day_of_week <= 7))),
  constraint provider_break_pkey PRIMARY KEY (provider_break_id)
);
comment on table provider_break is 'Goes when the desk replaces it.';
CREATE INDEX provider_break_provider ON provider_break (provider_id);
CREATE TRIGGER provider_break_raises_version AFTER INSERT OR DELETE OR UPDATE ON provider_break FOR EACH ROW EXECUTE FUNCTION raise_schedule_version();
alter table provider_break enable row level security;
create policy clinic_rows on provider_break for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on provider_break to mediconnect_app;

create table registration (
  clinic_id uuid not null,
  patient_id uuid not null,
  created_at timestamp with time zone not null default now(),
  constraint registration_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint registration_patient FOREIGN KEY (patient_id) REFERENCES patient(patient_id),
  constraint registration_pkey PRIMARY KEY (clinic_id, patient_id)
);
comment on table registration is 'Goes when the patient or the desk ends it.';
CREATE INDEX registration_patient_id ON registration (patient_id);
alter table registration enable row level security;
create policy clinic_rows on registration for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy own_rows on registration for select to mediconnect_app using (patient_id = current_patient());
grant delete, insert, select, update on registration to mediconnect_app;

create table replay (
  replay_id uuid not null,
  clinic_id uuid not null,
  requested_by text not null,
  reason text,
  state text not null,
  created_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint replay_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint replay_ended_whole CHECK (((state = ANY (ARRAY['STOPPED'::text, 'FINISHED'::text])) = (finished_at IS NOT NULL))),
  constraint replay_in_clinic UNIQUE (clinic_id, replay_id),
  constraint replay_pkey PRIMARY KEY (replay_id),
  constraint replay_state_check CHECK ((state = ANY (ARRAY['RUNNING'::text, 'PAUSED'::text, 'STOPPED'::text, 'FINISHED'::text])))
);
comment on table replay is 'Goes 90 days after its end.';
alter table replay enable row level security;
create policy clinic_rows on replay for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on replay to mediconnect_app;

create table replay_item (
  replay_id uuid not null,
  clinic_id uuid not null,
  notification_id uuid not null,
  state text not null,
  reason text,
  updated_at timestamp with time zone not null default now(),
  constraint replay_item_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint replay_item_clinic_id_notification_id_fkey FOREIGN KEY (clinic_id, notification_id) REFERENCES notification(clinic_id, notification_id),
  constraint replay_item_clinic_id_replay_id_fkey FOREIGN KEY (clinic_id, replay_id) REFERENCES replay(clinic_id, replay_id),
  constraint replay_item_pkey PRIMARY KEY (replay_id, notification_id),
  constraint replay_item_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'QUEUED'::text, 'NOT_DUE'::text, 'NOT_FAILED'::text])))
);
comment on table replay_item is 'Goes with its replay.';
alter table replay_item enable row level security;
create policy clinic_rows on replay_item for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on replay_item to mediconnect_app;

create table reservation (
  reservation_id uuid not null default gen_random_uuid(),
  clinic_id uuid not null,
  resource_id uuid not null,
  during tstzrange not null,
  purpose text not null,
  appointment_id uuid,
  round_id uuid,
  hold_id uuid,
  expires_at timestamp with time zone,
  visit_start timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint reservation_around_its_visit CHECK ((visit_start <@ during)),
  constraint reservation_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint reservation_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint reservation_clinic_id_hold_id_fkey FOREIGN KEY (clinic_id, hold_id) REFERENCES hold(clinic_id, hold_id),
  constraint reservation_clinic_id_round_id_fkey FOREIGN KEY (clinic_id, round_id) REFERENCES waitlist_round(clinic_id, round_id),
  constraint reservation_expires CHECK (((purpose = ANY (ARRAY['HOLD'::text, 'WAITLIST'::text])) = (expires_at IS NOT NULL))),
  constraint reservation_half_open CHECK (((NOT isempty(during)) AND lower_inc(during) AND (NOT upper_inc(during)) AND (lower(during) IS NOT NULL) AND (upper(during) IS NOT NULL))),
  constraint reservation_no_overlap EXCLUDE USING gist (resource_id WITH =, during WITH &&),
  constraint reservation_of_appointment CHECK (((purpose = 'APPOINTMENT'::text) = (appointment_id IS NOT NULL))),
  constraint reservation_of_hold CHECK (((purpose = 'HOLD'::text) = (hold_id IS NOT NULL))),
  constraint reservation_of_round CHECK (((purpose = 'WAITLIST'::text) = (round_id IS NOT NULL))),
  constraint reservation_pkey PRIMARY KEY (reservation_id),
  constraint reservation_purpose_check CHECK ((purpose = ANY (ARRAY['APPOINTMENT'::text, 'HOLD'::text, 'WAITLIST'::text, 'EXTERNAL'::text])))
);
comment on table reservation is 'Goes 2 days after its time, or an hour after it has run out.';
CREATE INDEX reservation_appointment ON reservation (appointment_id) WHERE (appointment_id IS NOT NULL);
CREATE INDEX reservation_expiring ON reservation (resource_id) WHERE (expires_at IS NOT NULL);
CREATE INDEX reservation_hold ON reservation (hold_id) WHERE (hold_id IS NOT NULL);
CREATE INDEX reservation_round ON reservation (round_id) WHERE (round_id IS NOT NULL);
alter table reservation enable row level security;
create policy clinic_rows on reservation for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on reservation to mediconnect_app;

create table round_candidate (
  candidate_id uuid not null,
  clinic_id uuid not null,
  round_id uuid not null,
  entry_id uuid not null,
  state text not null,
  reason text,
  created_at timestamp with time zone not null default now(),
  constraint round_candidate_clinic_id_entry_id_fkey FOREIGN KEY (clinic_id, entry_id) REFERENCES waitlist_entry(clinic_id, entry_id),
  constraint round_candidate_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint round_candidate_clinic_id_round_id_fkey FOREIGN KEY (clinic_id, round_id) REFERENCES waitlist_round(clinic_id, round_id),
  constraint round_candidate_once UNIQUE (round_id, entry_id),
  constraint round_candidate_pkey PRIMARY KEY (candidate_id),
  constraint round_candidate_state_check CHECK ((state = ANY (ARRAY['BOOKED'::text, 'PASSED'::text])))
);
comment on table round_candidate is 'Goes with its round.';
CREATE INDEX round_candidate_of_entry ON round_candidate (clinic_id, entry_id);
alter table round_candidate enable row level security;
create policy clinic_rows on round_candidate for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on round_candidate to mediconnect_app;

create table sick_day (
  sick_day_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  from_time timestamp with time zone not null,
  to_time timestamp with time zone not null,
  time_off_id uuid not null,
  reason text not null,
  state text not null,
  steps text[] not null,
  offer_minutes integer not null,
  search_days integer not null,
  requested_by text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint sick_day_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint sick_day_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint sick_day_ended_whole CHECK (((state = ANY (ARRAY['STOPPED'::text, 'FINISHED'::text])) = (finished_at IS NOT NULL))),
  constraint sick_day_in_clinic UNIQUE (clinic_id, sick_day_id),
  constraint sick_day_in_order CHECK ((from_time < to_time)),
  constraint sick_day_offer_minutes_check CHECK ((offer_minutes > 0)),
  constraint sick_day_pkey PRIMARY KEY (sick_day_id),
  constraint sick_day_reason_check CHECK ((reason = ANY (ARRAY['illness'::text, 'emergency'::text, 'family'::text, 'other'::text]))),
  constraint sick_day_search_days_check CHECK ((search_days > 0)),
  constraint sick_day_state_check CHECK ((state = ANY (ARRAY['RUNNING'::text, 'PAUSED'::text, 'STOPPED'::text, 'FINISHED'::text]))),
  constraint sick_day_steps_check CHECK ((steps <@ ARRAY['colleague'::text, 'other_day'::text, 'waitlist'::text, 'call'::text]))
);
comment on table sick_day is 'Stays.';
CREATE INDEX sick_day_live ON sick_day (sick_day_id) WHERE (state = ANY (ARRAY['RUNNING'::text, 'PAUSED'::text]));
CREATE INDEX sick_day_of_clinic ON sick_day (clinic_id, created_at DESC);
CREATE TRIGGER sick_day_is_touched BEFORE UPDATE ON sick_day FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
alter table sick_day enable row level security;
create policy clinic_rows on sick_day for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select, update on sick_day to mediconnect_app;

create table sick_day_item (
  sick_day_id uuid not null,
  clinic_id uuid not null,
  appointment_id uuid not null,
  visit_start timestamp with time zone not null,
  state text not null,
  step_index integer not null default 0,
  reason text,
  is_open boolean not null default (state = ANY (ARRAY['PENDING'::text, 'OFFERED'::text])),
  is_unresolved boolean not null default (state = ANY (ARRAY['PENDING'::text, 'OFFERED'::text, 'STOPPED'::text])),
  updated_at timestamp with time zone not null default now(),
  constraint sick_day_item_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint sick_day_item_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint sick_day_item_clinic_id_sick_day_id_fkey FOREIGN KEY (clinic_id, sick_day_id) REFERENCES sick_day(clinic_id, sick_day_id),
  constraint sick_day_item_pkey PRIMARY KEY (sick_day_id, appointment_id),
  constraint sick_day_item_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'OFFERED'::text, 'MOVED'::text, 'WAITLISTED'::text, 'CALL'::text, 'GONE'::text, 'STOPPED'::text])))
);
comment on table sick_day_item is 'Stays.';
CREATE INDEX sick_day_item_of_appointment ON sick_day_item (appointment_id);
CREATE INDEX sick_day_item_open ON sick_day_item (sick_day_id, visit_start) WHERE is_open;
CREATE TRIGGER sick_day_item_is_touched BEFORE UPDATE ON sick_day_item FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
alter table sick_day_item enable row level security;
create policy clinic_rows on sick_day_item for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select, update on sick_day_item to mediconnect_app;

create table task (
  task_id uuid not null,
  clinic_id uuid not null,
  kind text not null,
  reason text not null,
  appointment_id uuid not null,
  patient_id uuid not null,
  visit_start timestamp with time zone not null,
  sick_day_id uuid,
  state text not null,
  assigned_to text,
  outcome text,
  created_at timestamp with time zone not null default now(),
  resolved_at timestamp with time zone,
  resolved_by text,
  constraint task_clinic_id_appointment_id_fkey FOREIGN KEY (clinic_id, appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint task_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint task_clinic_id_patient_id_fkey FOREIGN KEY (clinic_id, patient_id) REFERENCES registration(clinic_id, patient_id),
  constraint task_clinic_id_sick_day_id_fkey FOREIGN KEY (clinic_id, sick_day_id) REFERENCES sick_day(clinic_id, sick_day_id),
  constraint task_in_clinic UNIQUE (clinic_id, task_id),
  constraint task_kind_check CHECK ((kind = 'call'::text)),
  constraint task_outcome_check CHECK ((outcome = ANY (ARRAY['moved'::text, 'cancelled'::text, 'waitlisted'::text, 'kept'::text, 'not_reached'::text]))),
  constraint task_pkey PRIMARY KEY (task_id),
  constraint task_resolved_whole CHECK ((((state = 'RESOLVED'::text) = (resolved_at IS NOT NULL)) AND ((resolved_at IS NULL) = (outcome IS NULL)) AND ((resolved_at IS NULL) = (resolved_by IS NULL)))),
  constraint task_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'RESOLVED'::text])))
);
comment on table task is 'Stays.';
CREATE INDEX task_of_clinic ON task (clinic_id, task_id);
CREATE INDEX task_of_sick_day ON task (sick_day_id, appointment_id);
CREATE UNIQUE INDEX task_one_call ON task (appointment_id) WHERE ((kind = 'call'::text) AND (state = 'OPEN'::text));
alter table task enable row level security;
create policy clinic_rows on task for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant insert, select, update on task to mediconnect_app;

create table time_off (
  time_off_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  during tstzrange not null,
  constraint time_off_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint time_off_during_check CHECK ((NOT isempty(during))),
  constraint time_off_pkey PRIMARY KEY (time_off_id)
);
comment on table time_off is 'Goes when the desk takes it back.';
CREATE INDEX time_off_provider ON time_off (provider_id);
CREATE TRIGGER time_off_raises_version AFTER INSERT OR DELETE OR UPDATE ON time_off FOR EACH ROW EXECUTE FUNCTION raise_schedule_version();
alter table time_off enable row level security;
create policy clinic_rows on time_off for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on time_off to mediconnect_app;

create table waitlist_entry (
  entry_id uuid not null,
  clinic_id uuid not null,
  patient_id uuid not null,
  provider_id uuid,
  specialty character varying(50),
  duration_minutes integer not null,
  earliest_date date not null,
  latest_date date not null,
  priority integer not null default 0,
  status text not null,
  booked_appointment_id uuid,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint waitlist_entry_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint waitlist_entry_clinic_id_patient_id_fkey FOREIGN KEY (clinic_id, patient_id) REFERENCES registration(clinic_id, patient_id),
  constraint waitlist_entry_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint waitlist_entry_dates CHECK ((earliest_date <= latest_date)),
  constraint waitlist_entry_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 1440))),
  constraint waitlist_entry_for_whom CHECK (((provider_id IS NULL) <> (specialty IS NULL))),
  constraint waitlist_entry_in_clinic UNIQUE (clinic_id, entry_id),
  constraint waitlist_entry_pkey PRIMARY KEY (entry_id),
  constraint waitlist_entry_priority_check CHECK (((priority >= 0) AND (priority <= 9))),
  constraint waitlist_entry_status_check CHECK ((status = ANY (ARRAY['WAITING'::text, 'BOOKED'::text, 'LEFT'::text])))
);
comment on table waitlist_entry is 'Goes 365 days after it has ended.';
CREATE INDEX waitlist_entry_ended ON waitlist_entry (updated_at) WHERE (status <> 'WAITING'::text);
CREATE INDEX waitlist_entry_waiting ON waitlist_entry (clinic_id) WHERE (status = 'WAITING'::text);
CREATE UNIQUE INDEX waitlist_entry_once ON waitlist_entry (clinic_id, patient_id, COALESCE((provider_id)::text, (specialty)::text)) WHERE (status = 'WAITING'::text);
alter table waitlist_entry enable row level security;
create policy clinic_rows on waitlist_entry for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
create policy own_rows on waitlist_entry for select to mediconnect_app using (patient_id = current_patient());
grant delete, insert, select, update on waitlist_entry to mediconnect_app;

create table waitlist_round (
  round_id uuid not null,
  clinic_id uuid not null,
  provider_id uuid not null,
  freed_appointment_id uuid not null,
  slot_start timestamp with time zone not null,
  duration_minutes integer not null,
  state text not null,
  depth integer not null default 0,
  deadline timestamp with time zone not null,
  filled_appointment_id uuid,
  closed_at timestamp with time zone,
  closed_reason text,
  created_at timestamp with time zone not null default now(),
  constraint waitlist_round_clinic_id_fkey FOREIGN KEY (clinic_id) REFERENCES clinic(clinic_id),
  constraint waitlist_round_clinic_id_freed_appointment_id_fkey FOREIGN KEY (clinic_id, freed_appointment_id) REFERENCES appointment(clinic_id, appointment_id),
  constraint waitlist_round_clinic_id_provider_id_fkey FOREIGN KEY (clinic_id, provider_id) REFERENCES provider(clinic_id, provider_id),
  constraint waitlist_round_in_clinic UNIQUE (clinic_id, round_id),
  constraint waitlist_round_pkey PRIMARY KEY (round_id),
  constraint waitlist_round_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'FILLED'::text, 'RELEASED'::text])))
);
comment on table waitlist_round is 'Goes 90 days after it was closed.';
CREATE INDEX waitlist_round_closed ON waitlist_round (closed_at) WHERE (state <> 'OPEN'::text);
CREATE INDEX waitlist_round_freed ON waitlist_round (freed_appointment_id);
CREATE INDEX waitlist_round_open ON waitlist_round (deadline) WHERE (state = 'OPEN'::text);
alter table waitlist_round enable row level security;
create policy clinic_rows on waitlist_round for all to mediconnect_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
grant delete, insert, select, update on waitlist_round to mediconnect_app;

-- function answer_under_key(p_caller text, p_route text, p_key text, p_fingerprint text) returns jsonb to mediconnect_app
-- function book_appointment(p_request jsonb) returns jsonb to mediconnect_app
-- function busy_ranges(p_resource uuid, p_during tstzrange) returns TABLE(from_time timestamp with time zone, to_time timestamp with time zone, purpose text, visit_start timestamp with time zone) security definer to mediconnect_app
-- function busy_ranges_of(p_resources uuid[], p_during tstzrange) returns TABLE(resource_id uuid, from_time timestamp with time zone, to_time timestamp with time zone, purpose text, visit_start timestamp with time zone) security definer to mediconnect_app
-- function clinic_of_appointment(p_appointment uuid) returns uuid security definer to mediconnect_app
-- function clinic_of_hold(p_hold uuid) returns uuid security definer to mediconnect_app
-- function clinic_of_notification(p_notification uuid) returns uuid security definer to mediconnect_app
-- function clinic_of_provider(p_provider uuid) returns uuid security definer to mediconnect_app
-- function clinic_of_sick_day(p_sick_day uuid) returns uuid security definer to mediconnect_app
-- function clinic_of_task(p_task uuid) returns uuid security definer to mediconnect_app
-- function clinics_with_ehr() returns SETOF uuid security definer to mediconnect_app
-- function create_registered_patient(request jsonb) returns void security definer to mediconnect_app
-- function current_caller() returns text to mediconnect_app, mediconnect_relay
-- function current_clinic() returns uuid to mediconnect_app, mediconnect_relay
-- function current_patient() returns uuid to mediconnect_app, mediconnect_relay
-- function due_items(p_sick_day uuid, p_now timestamp with time zone) returns TABLE(appointment_id uuid, visit_start timestamp with time zone, due_since timestamp with time zone) to mediconnect_app
-- function enqueue_live(p_what text, p_after jsonb, p_limit integer) returns TABLE(told integer, last jsonb) security definer to mediconnect_relay
-- function enqueue_overdue(p_late interval, p_limit integer) returns integer security definer to mediconnect_relay
-- function expire_reservations(p_resource uuid, p_during tstzrange) returns integer security definer to mediconnect_app
-- function has_claims(p_appointment uuid) returns boolean to mediconnect_app
-- function has_visit_instead(p_entry uuid) returns boolean to mediconnect_app
-- function is_being_moved(p_appointment uuid) returns boolean to mediconnect_app
-- function lock_clinic(p_clinic uuid) returns void to mediconnect_app
-- function lock_clinic_shared(p_clinic uuid) returns void to mediconnect_app
-- function lock_for_booking(p_clinic uuid, p_providers uuid[], p_patients uuid[]) returns void to mediconnect_app
-- function lock_resource(p_resource uuid) returns void to mediconnect_app
-- function lock_round(p_clinic uuid, p_round uuid, p_entry uuid) returns TABLE(round jsonb, is_kept boolean, is_waiting boolean) to mediconnect_app
-- function lock_visits(p_clinic uuid, p_appointment uuid, p_with_later boolean, p_of_time boolean, p_providers uuid[]) returns TABLE(visit jsonb, promised jsonb, schedule_version integer, clinic_policy_version integer, claimed boolean, time_zone text) to mediconnect_app
-- function offer_fits(p_offer uuid) returns boolean to mediconnect_app
-- function offer_is_live(p_state text, p_expires timestamp with time zone, p_now timestamp with time zone) returns boolean to mediconnect_app
-- function offer_was_not_told(p_offer uuid) returns boolean to mediconnect_app
-- function offered_providers(p_appointments uuid[]) returns uuid[] to mediconnect_app
-- function place_visits(p_request jsonb) returns jsonb to mediconnect_app
-- function provider_times(p_clinic uuid, p_provider uuid, p_specialty text, p_during tstzrange) returns TABLE(provider_id uuid, schedule_version integer, policy_version integer, busy json) to mediconnect_app
-- function prune(p_table text, p_limit integer) returns integer security definer to mediconnect_relay
-- function raise_own_schedule_version() returns trigger
-- function raise_schedule_version() returns trigger
-- function raise_schedule_versions_of_clinic() returns trigger
-- function raise_schedule_versions_of_closed() returns trigger
-- function raise_version() returns trigger
-- function record_policy_version() returns trigger
-- function refusals_of_place(p_place jsonb) returns text[] to mediconnect_app
-- function remember_policy_version() returns trigger
-- function resolved_how(p_appointment uuid, p_sick_day uuid) returns text to mediconnect_app
-- function swept_lately(p_aggregate uuid) returns boolean
-- function touch_updated_at() returns trigger
-- function visit_changed(p_appointment uuid, p_act jsonb) returns void to mediconnect_app
-- function withdraw_offers(p_offers uuid[], p_event text, p_act jsonb) returns void to mediconnect_app
-- function write_place(p_request jsonb, p_place jsonb, p_overridden text[]) returns text to mediconnect_app
