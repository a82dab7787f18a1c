-- Patients are one person across clinics; a registration makes them visible to a clinic.

create table patient (
  patient_id uuid primary key,
  given_name varchar(100) not null,
  family_name varchar(100) not null,
  birth_date date not null,
  phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  email text check (position('@' in email) > 1),
  locale text not null,
  time_zone text not null,
  preferred_channel text not null check (preferred_channel in ('sms', 'email')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version integer not null default 1
);
create trigger patient_is_touched before update on patient for each row execute function touch_updated_at();
create trigger patient_raises_version before update on patient for each row
  when ((old.given_name, old.family_name, old.birth_date, old.phone, old.email, old.locale, old.time_zone, old.preferred_channel) is distinct from
    (new.given_name, new.family_name, new.birth_date, new.phone, new.email, new.locale, new.time_zone, new.preferred_channel))
  execute function raise_version();

create table registration (
  clinic_id uuid not null references clinic,
  patient_id uuid not null constraint registration_patient references patient,
  created_at timestamptz not null default now(),
  primary key (clinic_id, patient_id)
);
create index registration_patient_id on registration (patient_id);
