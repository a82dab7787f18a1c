-- Recurring series, and the visits themselves.

create table appointment_series (
  series_id uuid primary key,
  clinic_id uuid not null references clinic,
  patient_id uuid not null,
  -- As booked; a visit that moves may be with somebody else by now.
  provider_id uuid not null,
  every_weeks integer not null check (every_weeks between 1 and 52),
  count integer not null check (count between 2 and 26),
  created_at timestamptz not null default now(),
  constraint appointment_series_in_clinic unique (clinic_id, series_id),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
  foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id)
);

create table appointment (
  appointment_id uuid primary key,
  patient_id uuid not null references patient,
  provider_id uuid not null,
  clinic_id uuid not null references clinic,
  appointment_time timestamptz not null,
  duration_minutes integer not null check (duration_minutes between 1 and 1440),
  status varchar(20) not null check (status in ('SCHEDULED', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
  confirmation_code text not null check (length(confirmation_code) = 6),
  booked_via text not null check (booked_via in ('api', 'waitlist')),
  -- When and at which version the present appointment_time was set: what reminders and notices of a change are counted from.
  time_set_at timestamptz not null default now(),
  time_set_version integer not null default 1,
  checked_in_at timestamptz,
  cancelled_at timestamptz,
  cancelled_by text check (cancelled_by in ('patient', 'staff', 'system', 'ehr')),
  cancel_reason text,
  cancelled_late boolean,
  policy_version integer not null,
  moves integer not null default 0,
  -- What staff set aside on purpose.
  override_rules text[] not null default '{}',
  override_reason text,
  series_id uuid,
  series_index integer,
  -- The notice of its present time or cancellation speaks for this many visits of the series, itself included …
  notice_visits integer not null default 1 check (notice_visits between 1 and 26),
  -- … or is another visit's: then this one sends none.
  announced_by uuid,
  -- The plan is no change of the appointment: it is written where version = the one read, and raises nothing.
  next_action text,
  next_action_at timestamptz,
  reminder_state text not null default 'PLANNED',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version integer not null default 1,
  -- The version for which the clinic's EHR has answered, whatever it said. Below the present one: the EHR is to be told.
  ehr_version integer not null default 0,
  constraint appointment_confirmation_code_unique unique (clinic_id, confirmation_code),
  constraint appointment_in_clinic unique (clinic_id, appointment_id),
  constraint appointment_cancelled_whole check ((status = 'CANCELLED') = (cancelled_at is not null)),
  constraint appointment_override_has_reason check ((override_rules = '{}') = (override_reason is null)),
  constraint appointment_series_whole check ((series_id is null) = (series_index is null)),
  constraint appointment_series_once unique (series_id, series_index),
  constraint appointment_announced check (announced_by is null or (series_id is not null and notice_visits = 1)),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
  foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id),
  foreign key (clinic_id, policy_version) references clinic_policy (clinic_id, policy_version),
  foreign key (clinic_id, series_id) references appointment_series (clinic_id, series_id),
  foreign key (clinic_id, announced_by) references appointment (clinic_id, appointment_id)
);
create index appointment_patient on appointment (patient_id, appointment_time);
create index appointment_provider on appointment (provider_id, appointment_time);
-- For the sweep and for rebuild, which goes on after an id.
create index appointment_due on appointment (next_action_at, appointment_id) where next_action_at is not null;
-- A page of a clinic's visits is read in its order from an index, however many there are.
create index appointment_of_clinic on appointment (clinic_id, appointment_time, appointment_id);
-- What is ahead of the EHR is found without reading the clinic's history.
create index appointment_ahead_of_ehr on appointment (clinic_id, appointment_id) where ehr_version < version;
-- What nobody has marked is found however much has been.
create index appointment_scheduled on appointment (clinic_id, appointment_time, appointment_id) where status = 'SCHEDULED';
create index appointment_announced_by on appointment (announced_by) where announced_by is not null;
