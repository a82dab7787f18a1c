-- What the EHR was told, and how each sync run went.

create table ehr_connection (
  clinic_id uuid primary key references clinic,
  base_url text not null,
  capabilities jsonb not null default '{}'
);

create table ehr_link (
  appointment_id uuid primary key,
  clinic_id uuid not null references clinic,
  ehr_id text,
  ehr_version text,
  synced_version integer not null default 0,
  snapshot jsonb,
  state text not null check (state in ('PENDING', 'IN_EHR', 'REFUSED', 'UNKNOWN')),
  reason text,
  synced_at timestamptz,
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id)
);

create index ehr_link_refused on ehr_link (clinic_id) where state = 'REFUSED';

create table ehr_sync_run (
  run_id uuid primary key,
  clinic_id uuid not null references clinic,
  trigger text not null check (trigger in ('nightly', 'on_demand')),
  state text not null check (state in ('RUNNING', 'FINISHED', 'FAILED')),
  created integer not null default 0,
  updated integer not null default 0,
  unchanged integer not null default 0,
  parked integer not null default 0,
  reason text,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint ehr_sync_run_in_clinic unique (clinic_id, run_id)
);
create index ehr_sync_run_clinic on ehr_sync_run (clinic_id, started_at);

create table ehr_sync_item (
  run_id uuid not null,
  clinic_id uuid not null references clinic,
  appointment_id uuid not null,
  appointment_version integer not null,
  outcome text not null check (outcome in ('CREATED', 'UPDATED', 'UNCHANGED', 'PARKED')),
  reason text,
  ehr_id text,
  recorded_at timestamptz not null default now(),
  primary key (run_id, appointment_id),
  foreign key (clinic_id, run_id) references ehr_sync_run (clinic_id, run_id),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id)
);
