-- Sick days: what becomes of each visit of a provider who is suddenly away, the times that are offered instead, and the desk's calls.

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
  -- The sick day has still something to do about it.
  is_open boolean not null generated always as (state in ('PENDING', 'OFFERED')) stored,
  -- The visit is still booked in the absence as far as anybody has said: a stopped sick day has left it so.
  is_unresolved boolean not null generated always as (state in ('PENDING', 'OFFERED', 'STOPPED')) stored,
  updated_at timestamptz not null default now(),
  primary key (sick_day_id, appointment_id),
  foreign key (clinic_id, sick_day_id) references sick_day (clinic_id, sick_day_id),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id)
);
create index sick_day_item_of_appointment on sick_day_item (appointment_id);
create index sick_day_item_open on sick_day_item (sick_day_id, visit_start) where is_open;
create trigger sick_day_item_is_touched before update on sick_day_item for each row execute function touch_updated_at();

-- A held time, told to a patient, open until an instant, answered once; `purpose` says what it is for.
create table offer (
  offer_id uuid primary key,
  clinic_id uuid not null references clinic,
  purpose text not null check (purpose in ('sick_day')),
  appointment_id uuid not null,
  -- The visit as it stood when the offer was made: whoever has changed it since has answered in another way.
  appointment_version integer not null,
  patient_id uuid not null,
  sick_day_id uuid,
  step text check (step in ('colleague', 'other_day')),
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
  constraint offer_in_clinic unique (clinic_id, offer_id),
  constraint offer_of_sick_day check ((purpose = 'sick_day') = (sick_day_id is not null) and (sick_day_id is null) = (step is null)),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
  foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id),
  foreign key (clinic_id, sick_day_id) references sick_day (clinic_id, sick_day_id),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
  foreign key (clinic_id, hold_id) references hold (clinic_id, hold_id)
);
-- Whatever races: a visit has one open offer, so its patient has one question to answer.
create unique index offer_one_open on offer (appointment_id) where state = 'OPEN';
create index offer_of_sick_day on offer (sick_day_id, appointment_id);
create index offer_of_patient on offer (patient_id);
-- A hold that is deleted is looked for among the offers.
create index offer_of_hold on offer (clinic_id, hold_id);
create trigger offer_is_touched before update on offer for each row execute function touch_updated_at();

-- What a person must do. A call is about a visit, and whoever cancels, moves or begins the visit has seen to it.
create table task (
  task_id uuid primary key,
  clinic_id uuid not null references clinic,
  kind text not null check (kind in ('call')),
  reason text not null,
  appointment_id uuid not null,
  patient_id uuid not null,
  -- The visit's time when the task was written.
  visit_start timestamptz not null,
  -- Because of which sick day, where it is one.
  sick_day_id uuid,
  state text not null check (state in ('OPEN', 'RESOLVED')),
  -- Who has taken it on.
  assigned_to text,
  outcome text check (outcome in ('moved', 'cancelled', 'waitlisted', 'kept', 'not_reached')),
  created_at timestamptz not null default now(),
  resolved_at timestamptz,
  resolved_by text,
  constraint task_in_clinic unique (clinic_id, task_id),
  constraint task_resolved_whole check ((state = 'RESOLVED') = (resolved_at is not null) and (resolved_at is null) = (outcome is null)
    and (resolved_at is null) = (resolved_by is null)),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
  foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id),
  foreign key (clinic_id, sick_day_id) references sick_day (clinic_id, sick_day_id)
);
create index task_of_clinic on task (clinic_id, task_id);
-- However often somebody asks for it, and whoever does: one call about one visit.
create unique index task_one_call on task (appointment_id) where kind = 'call' and state = 'OPEN';
create index task_of_sick_day on task (sick_day_id, appointment_id);
