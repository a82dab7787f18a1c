-- Clinics, their policy, providers, and the wall-clock rules from which slots are computed.

create table clinic (
  clinic_id uuid primary key,
  name varchar(100) not null,
  slug text not null constraint clinic_slug_unique unique check (slug ~ '^[a-z0-9-]{1,40}$'),
  -- Whom a message asks to call.
  phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  time_zone text not null,
  policy jsonb not null,
  policy_version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- A version rises with everything that its answer shows: whoever writes, the entity tag stays honest.
  version integer not null default 1
);

-- Booked visits keep the policy they were promised, so every version stays.
create table clinic_policy (
  clinic_id uuid not null references clinic,
  policy_version integer not null,
  policy jsonb not null,
  created_at timestamptz not null default now(),
  primary key (clinic_id, policy_version)
);
create trigger clinic_policy_raises_version before update on clinic
  for each row execute function remember_policy_version();
create trigger clinic_policy_is_recorded after insert or update on clinic
  for each row execute function record_policy_version();

create table provider (
  provider_id uuid primary key,
  clinic_id uuid not null references clinic,
  name varchar(100) not null,
  specialty varchar(50) not null,
  max_daily_appointments integer not null check (max_daily_appointments > 0),
  schedule_version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version integer not null default 1,
  constraint provider_of_clinic unique (clinic_id, provider_id)
);

create table availability (
  availability_id uuid primary key,
  clinic_id uuid not null,
  provider_id uuid not null,
  day_of_week integer not null check (day_of_week between 1 and 7),
  start_time time not null,
  end_time time not null,
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id)
);
create index availability_provider on availability (provider_id);

create table provider_break (
  provider_break_id uuid primary key,
  clinic_id uuid not null,
  provider_id uuid not null,
  day_of_week integer not null check (day_of_week between 1 and 7),
  start_time time not null,
  end_time time not null,
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id)
);
create index provider_break_provider on provider_break (provider_id);

create table availability_override (
  availability_override_id uuid primary key,
  clinic_id uuid not null,
  provider_id uuid not null,
  date date not null,
  start_time time,
  end_time time,
  constraint availability_override_both_or_neither check ((start_time is null) = (end_time is null)),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id)
);
create index availability_override_provider on availability_override (provider_id, date);

create table closure (
  closure_id uuid primary key,
  clinic_id uuid not null references clinic,
  from_date date not null,
  to_date date not null,
  name varchar(100) not null,
  -- Comes back every year on the same dates. One that lasted a year would never end.
  yearly boolean not null default false,
  -- An event of a calendar file that recurs is several closures. The unique index is the guard: a file that is imported twice doubles nothing.
  calendar_uid text check (length(calendar_uid) between 1 and 255),
  constraint closure_in_order check (from_date <= to_date),
  constraint closure_yearly_within_a_year check (not yearly or to_date < from_date + interval '1 year')
);
create unique index closure_of_calendar on closure (clinic_id, calendar_uid, from_date) where calendar_uid is not null;
create index closure_clinic on closure (clinic_id, from_date);

create table time_off (
  time_off_id uuid primary key,
  clinic_id uuid not null,
  provider_id uuid not null,
  during tstzrange not null check (not isempty(during)),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id)
);
create index time_off_provider on time_off (provider_id);

create trigger availability_raises_version after insert or update or delete on availability
  for each row execute function raise_schedule_version();
create trigger provider_break_raises_version after insert or update or delete on provider_break
  for each row execute function raise_schedule_version();
create trigger availability_override_raises_version after insert or update or delete on availability_override
  for each row execute function raise_schedule_version();
create trigger time_off_raises_version after insert or update or delete on time_off
  for each row execute function raise_schedule_version();
create trigger closure_added_raises_version after insert on closure referencing new table as changed
  for each statement execute function raise_schedule_versions_of_closed();
create trigger closure_changed_raises_version after update on closure referencing new table as changed
  for each statement execute function raise_schedule_versions_of_closed();
create trigger closure_removed_raises_version after delete on closure referencing old table as changed
  for each statement execute function raise_schedule_versions_of_closed();
create trigger clinic_raises_versions after update on clinic
  for each row execute function raise_schedule_versions_of_clinic();

create trigger clinic_is_touched before update on clinic for each row execute function touch_updated_at();
create trigger provider_is_touched before update on provider for each row execute function touch_updated_at();

create trigger provider_raises_version before update on provider
  for each row execute function raise_own_schedule_version();

create trigger clinic_raises_version before update on clinic for each row
  when ((old.name, old.slug, old.time_zone, old.policy) is distinct from (new.name, new.slug, new.time_zone, new.policy))
  execute function raise_version();
create trigger provider_raises_own_version before update on provider for each row
  when ((old.name, old.specialty, old.max_daily_appointments) is distinct from (new.name, new.specialty, new.max_daily_appointments))
  execute function raise_version();
