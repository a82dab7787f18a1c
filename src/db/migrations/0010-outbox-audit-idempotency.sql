-- What is written in the same transaction as every change: the outbox row, the audit event and the answer under an idempotency key.

create table outbox (
  outbox_id bigint generated always as identity primary key,
  clinic_id uuid not null references clinic,
  aggregate text not null check (aggregate in ('appointment', 'round', 'replay', 'ehr_sync', 'sick_day')),
  aggregate_id uuid not null,
  event text not null,
  version integer,
  schema_version integer not null default 1,
  request_id text,
  traceparent text,
  attempts integer not null default 0,
  available_at timestamptz not null default now(),
  lease_until timestamptz,
  done_at timestamptz,
  parked_reason text,
  created_at timestamptz not null default now()
);
-- What has just happened is told before what the sweep or a rebuild has written, however much that is.
create index outbox_open on outbox ((event = 'overdue'), outbox_id) where done_at is null and parked_reason is null;
create index outbox_parked on outbox (created_at) where parked_reason is not null;
create index outbox_told on outbox (done_at) where done_at is not null;
create index outbox_swept on outbox (aggregate_id, created_at) where event = 'overdue';
create unique index outbox_one_open_sweep on outbox (aggregate_id)
  where event = 'overdue' and done_at is null and parked_reason is null;

create table audit_event (
  audit_id bigint generated always as identity primary key,
  -- None for what patients change about themselves: that happens at no clinic, and no clinic sees the event.
  clinic_id uuid references clinic,
  entity text not null,
  entity_id uuid not null,
  action text not null,
  actor_kind text not null,
  actor_id text not null,
  request_id text,
  detail jsonb not null default '{}',
  occurred_at timestamptz not null default now()
);
create index audit_event_entity on audit_event (entity_id, audit_id);

create table idempotency_key (
  caller text not null,
  route text not null,
  key text not null,
  fingerprint text not null,
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (caller, route, key)
);
create index idempotency_key_age on idempotency_key (created_at);
