-- Who waits for what, and the rounds in which a freed slot is filled.

create table waitlist_entry (
  entry_id uuid primary key,
  clinic_id uuid not null references clinic,
  patient_id uuid not null,
  provider_id uuid,
  specialty varchar(50),
  duration_minutes integer not null check (duration_minutes between 1 and 1440),
  earliest_date date not null,
  latest_date date not null,
  priority integer not null default 0 check (priority between 0 and 9),
  status text not null check (status in ('WAITING', 'BOOKED', 'LEFT')),
  booked_appointment_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint waitlist_entry_in_clinic unique (clinic_id, entry_id),
  constraint waitlist_entry_for_whom check ((provider_id is null) <> (specialty is null)),
  constraint waitlist_entry_dates check (earliest_date <= latest_date),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
  foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id)
);
create unique index waitlist_entry_once on waitlist_entry (clinic_id, patient_id, coalesce(provider_id::text, specialty))
  where status = 'WAITING';
create index waitlist_entry_ended on waitlist_entry (updated_at) where status <> 'WAITING';
create index waitlist_entry_waiting on waitlist_entry (clinic_id) where status = 'WAITING';

create table waitlist_round (
  round_id uuid primary key,
  clinic_id uuid not null references clinic,
  provider_id uuid not null,
  freed_appointment_id uuid not null,
  slot_start timestamptz not null,
  duration_minutes integer not null,
  state text not null check (state in ('OPEN', 'FILLED', 'RELEASED')),
  depth integer not null default 0,
  deadline timestamptz not null,
  filled_appointment_id uuid,
  closed_at timestamptz,
  closed_reason text,
  created_at timestamptz not null default now(),
  constraint waitlist_round_in_clinic unique (clinic_id, round_id),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
  foreign key (clinic_id, freed_appointment_id) references appointment (clinic_id, appointment_id)
);
create index waitlist_round_freed on waitlist_round (freed_appointment_id);
create index waitlist_round_closed on waitlist_round (closed_at) where state <> 'OPEN';
create index waitlist_round_open on waitlist_round (deadline) where state = 'OPEN';

-- How each entry fared in a round.
create table round_candidate (
  candidate_id uuid primary key,
  clinic_id uuid not null references clinic,
  round_id uuid not null,
  entry_id uuid not null,
  state text not null check (state in ('BOOKED', 'PASSED')),
  reason text,
  created_at timestamptz not null default now(),
  constraint round_candidate_once unique (round_id, entry_id),
  foreign key (clinic_id, round_id) references waitlist_round (clinic_id, round_id),
  foreign key (clinic_id, entry_id) references waitlist_entry (clinic_id, entry_id)
);
create index round_candidate_of_entry on round_candidate (clinic_id, entry_id);
