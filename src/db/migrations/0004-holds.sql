-- A slot that is kept for somebody until they book it.

create table hold (
  hold_id uuid primary key,
  clinic_id uuid not null references clinic,
  provider_id uuid not null,
  slot_start timestamptz not null,
  duration_minutes integer not null check (duration_minutes between 1 and 1440),
  -- The token's subject, or the name of what holds it on somebody's behalf.
  held_by text not null,
  state text not null check (state in ('LIVE', 'BOOKED', 'RELEASED')),
  expires_at timestamptz not null,
  -- The moment at which it was judged. created_at is PostgreSQL's clock after the way there: what was granted by the caller's clock a moment before
  -- would be refused by it as too soon.
  judged_at timestamptz not null default now(),
  extended_at timestamptz,
  appointment_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint hold_in_clinic unique (clinic_id, hold_id),
  constraint hold_booked_whole check ((state = 'BOOKED') = (appointment_id is not null)),
  foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id)
);
create index hold_live on hold (held_by) where state = 'LIVE';
create trigger hold_is_touched before update on hold for each row execute function touch_updated_at();
