import { sql, type Kysely } from 'kysely';

/** Patients are one person across clinics; a registration makes them visible to a clinic. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table patient (
      patient_id uuid primary key,
      given_name varchar(100) not null,
      family_name varchar(100) not null,
      birth_date date not null,
      phone text check (phone ~ '^\\+[1-9][0-9]{6,14}$'),
      email text check (position('@' in email) > 1),
      locale text not null,
      time_zone text not null,
      preferred_channel text not null check (preferred_channel in ('sms', 'email')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    create trigger patient_is_touched before update on patient for each row execute function touch_updated_at();

    create table registration (
      clinic_id uuid not null references clinic,
      patient_id uuid not null constraint registration_patient references patient,
      created_at timestamptz not null default now(),
      primary key (clinic_id, patient_id)
    );
    create index registration_patient_id on registration (patient_id);
  `.execute(db);
}
