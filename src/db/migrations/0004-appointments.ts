import { sql, type Kysely } from 'kysely';

/** Appointments, and the reservation table whose exclusion constraint is the guard against double booking. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
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
      -- The plan is no change of the appointment: it is written where version = the one read, and raises nothing.
      next_action text,
      next_action_at timestamptz,
      reminder_state text not null default 'NONE',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      version integer not null default 1,
      constraint appointment_confirmation_code_unique unique (clinic_id, confirmation_code),
      constraint appointment_in_clinic unique (clinic_id, appointment_id),
      constraint appointment_cancelled_whole check ((status = 'CANCELLED') = (cancelled_at is not null)),
      foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id),
      foreign key (clinic_id, patient_id) references registration (clinic_id, patient_id),
      foreign key (clinic_id, policy_version) references clinic_policy (clinic_id, policy_version)
    );
    create index appointment_patient on appointment (patient_id, appointment_time);
    create index appointment_provider on appointment (provider_id, appointment_time);
    create index appointment_due on appointment (next_action_at) where next_action_at is not null;

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
    create index waitlist_round_open on waitlist_round (deadline) where state = 'OPEN';

    create table reservation (
      reservation_id uuid primary key default gen_random_uuid(),
      clinic_id uuid not null references clinic,
      resource_id uuid not null,
      during tstzrange not null,
      purpose text not null check (purpose in ('APPOINTMENT', 'HOLD', 'WAITLIST', 'EXTERNAL')),
      appointment_id uuid,
      round_id uuid,
      expires_at timestamptz,
      created_at timestamptz not null default now(),
      constraint reservation_half_open check (not isempty(during) and lower_inc(during) and not upper_inc(during)
        and lower(during) is not null and upper(during) is not null),
      constraint reservation_of_appointment check ((purpose = 'APPOINTMENT') = (appointment_id is not null)),
      constraint reservation_of_round check ((purpose = 'WAITLIST') = (round_id is not null)),
      constraint reservation_expires check ((purpose in ('HOLD', 'WAITLIST')) = (expires_at is not null)),
      foreign key (clinic_id, appointment_id) references appointment (clinic_id, appointment_id),
      foreign key (clinic_id, round_id) references waitlist_round (clinic_id, round_id),
      constraint reservation_no_overlap exclude using gist (resource_id with =, during with &&)
    );
    create index reservation_appointment on reservation (appointment_id) where appointment_id is not null;
    create index reservation_round on reservation (round_id) where round_id is not null;
    create index reservation_expiring on reservation (resource_id) where expires_at is not null;

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
    create index waitlist_entry_waiting on waitlist_entry (clinic_id) where status = 'WAITING';

    create table waitlist_offer (
      offer_id uuid primary key,
      clinic_id uuid not null references clinic,
      round_id uuid not null,
      entry_id uuid not null,
      state text not null check (state in ('BOOKED', 'PASSED')),
      reason text,
      created_at timestamptz not null default now(),
      constraint waitlist_offer_once unique (round_id, entry_id),
      foreign key (clinic_id, round_id) references waitlist_round (clinic_id, round_id),
      foreign key (clinic_id, entry_id) references waitlist_entry (clinic_id, entry_id)
    );
  `.execute(db);
}
