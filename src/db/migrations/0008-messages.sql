-- The ledger of messages: one row a message, written before the provider is called; and replays of those that failed.

create table notification (
  notification_id uuid primary key,
  clinic_id uuid not null references clinic,
  appointment_id uuid not null,
  patient_id uuid not null,
  kind text not null,
  channel text not null check (channel in ('sms', 'email')),
  state text not null check (state in
    ('PLANNED', 'QUEUED', 'SENDING', 'RETRY', 'ACCEPTED', 'DELIVERED', 'FAILED', 'UNKNOWN', 'SKIPPED')),
  -- The appointment's instant this message speaks of: it is no longer due when the appointment moves.
  planned_for timestamptz not null,
  appointment_version integer not null,
  due_at timestamptz not null,
  attempt integer not null default 0,
  -- Counts the replays: attempts of an earlier round no longer count towards the limit.
  first_attempt integer not null default 1,
  sending_until timestamptz,
  provider_message_id text,
  reason text,
  request_id text,
  -- To the millisecond, which is what a cursor says.
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz not null default now(),
  accepted_at timestamptz,
  settled_at timestamptz,
  -- What it offers, where it offers something.
  offer_id uuid,
  -- What the patient was told of the visit.
  told_provider_id uuid,
  told_minutes integer,
  constraint notification_in_clinic unique (clinic_id, notification_id),
  constraint notification_of_offer check ((kind = 'move_offer') = (offer_id is not null)),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
  foreign key (clinic_id, offer_id) references offer (clinic_id, offer_id),
  constraint notification_told_provider_fkey foreign key (clinic_id, told_provider_id) references provider (clinic_id, provider_id)
);
create index notification_appointment on notification (appointment_id);
create index notification_patient on notification (patient_id, created_at);
create index notification_failed on notification (clinic_id, updated_at) where state in ('FAILED', 'UNKNOWN');
-- A page of a clinic's messages is read in its order from an index, however many there are.
create index notification_of_clinic on notification (clinic_id, created_at, notification_id);
create index notification_offer on notification (offer_id) where offer_id is not null;
create unique index notification_provider_message on notification (channel, provider_message_id) where provider_message_id is not null;

create table delivery_attempt (
  clinic_id uuid not null references clinic,
  notification_id uuid not null,
  attempt integer not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  outcome text,
  error_code text,
  provider_message_id text,
  -- Keyed, so that it says nothing of the text: a look-up that makes another text today proves nothing.
  text_hash text,
  primary key (notification_id, attempt),
  foreign key (clinic_id, notification_id) references notification (clinic_id, notification_id)
);
create index delivery_attempt_age on delivery_attempt (started_at);

create table replay (
  replay_id uuid primary key,
  clinic_id uuid not null references clinic,
  requested_by text not null,
  reason text,
  state text not null check (state in ('RUNNING', 'PAUSED', 'STOPPED', 'FINISHED')),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint replay_in_clinic unique (clinic_id, replay_id),
  constraint replay_ended_whole check ((state in ('STOPPED', 'FINISHED')) = (finished_at is not null))
);
create table replay_item (
  replay_id uuid not null,
  clinic_id uuid not null references clinic,
  notification_id uuid not null,
  state text not null check (state in ('PENDING', 'QUEUED', 'NOT_DUE', 'NOT_FAILED')),
  reason text,
  updated_at timestamptz not null default now(),
  primary key (replay_id, notification_id),
  foreign key (clinic_id, replay_id) references replay (clinic_id, replay_id),
  foreign key (clinic_id, notification_id) references notification (clinic_id, notification_id)
);

-- At these addresses the provider refuses us for good: opted out, a landline, a dead mailbox. Each clinic knows what its own messages met.
create table opt_out (
  clinic_id uuid not null references clinic,
  channel text not null check (channel in ('sms', 'email')),
  address text not null,
  reason text not null,
  created_at timestamptz not null default now(),
  primary key (clinic_id, channel, address)
);
