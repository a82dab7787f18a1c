-- When a provider or a patient is busy: the exclusion constraint is the guard against double booking.

create table reservation (
  reservation_id uuid primary key default gen_random_uuid(),
  clinic_id uuid not null references clinic,
  resource_id uuid not null,
  during tstzrange not null,
  purpose text not null check (purpose in ('APPOINTMENT', 'HOLD', 'WAITLIST', 'EXTERNAL')),
  appointment_id uuid,
  round_id uuid,
  hold_id uuid,
  expires_at timestamptz,
  -- When the visit starts that it is for, and so the day on which it counts; null: when it begins itself. What buffers lie around is in during.
  visit_start timestamptz,
  created_at timestamptz not null default now(),
  constraint reservation_half_open check (not isempty(during) and lower_inc(during) and not upper_inc(during)
    and lower(during) is not null and upper(during) is not null),
  constraint reservation_around_its_visit check (visit_start <@ during),
  constraint reservation_of_appointment check ((purpose = 'APPOINTMENT') = (appointment_id is not null)),
  constraint reservation_of_round check ((purpose = 'WAITLIST') = (round_id is not null)),
  constraint reservation_of_hold check ((purpose = 'HOLD') = (hold_id is not null)),
  constraint reservation_expires check ((purpose in ('HOLD', 'WAITLIST')) = (expires_at is not null)),
  foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
  foreign key (clinic_id, round_id) references waitlist_round (clinic_id, round_id),
  foreign key (clinic_id, hold_id) references hold (clinic_id, hold_id),
  constraint reservation_no_overlap exclude using gist (resource_id with =, during with &&)
);
create index reservation_appointment on reservation (appointment_id) where appointment_id is not null;
create index reservation_round on reservation (round_id) where round_id is not null;
create index reservation_expiring on reservation (resource_id) where expires_at is not null;
create index reservation_hold on reservation (hold_id) where hold_id is not null;
