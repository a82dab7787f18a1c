import { sql, type Kysely } from 'kysely';

/** Recurring series, and who announces the visits of one: a series is told in one message. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
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
    alter table appointment_series enable row level security;
    create policy clinic_rows on appointment_series for all to mediconnect_app using (clinic_id = current_clinic())
      with check (clinic_id = current_clinic());
    create policy own_rows on appointment_series for select to mediconnect_app using (patient_id = current_patient());
    grant select, insert on appointment_series to mediconnect_app;

    alter table appointment
      add column series_id uuid,
      add column series_index integer,
      -- The notice of its present time or cancellation speaks for this many visits of the series, itself included …
      add column notice_visits integer not null default 1 check (notice_visits between 1 and 26),
      -- … or is another visit's: then this one sends none.
      add column announced_by uuid,
      add constraint appointment_series_whole check ((series_id is null) = (series_index is null)),
      add constraint appointment_series_once unique (series_id, series_index),
      add constraint appointment_announced check (announced_by is null or (series_id is not null and notice_visits = 1)),
      add constraint appointment_clinic_id_series_id_fkey foreign key (clinic_id, series_id)
        references appointment_series (clinic_id, series_id),
      add constraint appointment_clinic_id_announced_by_fkey foreign key (clinic_id, announced_by)
        references appointment (clinic_id, appointment_id);
    create index appointment_announced_by on appointment (announced_by) where announced_by is not null;
  `.execute(db);
}
