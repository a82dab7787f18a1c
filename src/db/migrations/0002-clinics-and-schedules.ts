import { sql, type Kysely } from 'kysely';

/** Clinics, their policy, providers, and the wall-clock rules from which slots are computed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table clinic (
      clinic_id uuid primary key,
      name varchar(100) not null,
      slug text not null constraint clinic_slug_unique unique check (slug ~ '^[a-z0-9-]{1,40}$'),
      time_zone text not null,
      policy jsonb not null,
      policy_version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    -- Booked visits keep the policy they were promised, so every version stays.
    create table clinic_policy (
      clinic_id uuid not null references clinic,
      policy_version integer not null,
      policy jsonb not null,
      created_at timestamptz not null default now(),
      primary key (clinic_id, policy_version)
    );
    create function remember_policy_version() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and new.policy is distinct from old.policy then
        new.policy_version := old.policy_version + 1;
      end if;
      return new;
    end $$;
    create trigger clinic_policy_raises_version before update on clinic
      for each row execute function remember_policy_version();
    create function record_policy_version() returns trigger language plpgsql as $$
    begin
      insert into clinic_policy (clinic_id, policy_version, policy) values (new.clinic_id, new.policy_version, new.policy)
        on conflict do nothing;
      return null;
    end $$;
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
      constraint closure_in_order check (from_date <= to_date)
    );
    create index closure_clinic on closure (clinic_id, from_date);

    create table time_off (
      time_off_id uuid primary key,
      clinic_id uuid not null,
      provider_id uuid not null,
      during tstzrange not null check (not isempty(during)),
      foreign key (clinic_id, provider_id) references provider (clinic_id, provider_id)
    );
    create index time_off_provider on time_off (provider_id);

    -- Booking compares this version under the provider's lock: whatever writes a rule raises it.
    create function raise_schedule_version() returns trigger language plpgsql as $$
    begin
      if tg_table_name = 'closure' then
        update provider set schedule_version = schedule_version + 1, updated_at = now()
          where clinic_id = coalesce(new.clinic_id, old.clinic_id);
      else
        update provider set schedule_version = schedule_version + 1, updated_at = now()
          where provider_id in (new.provider_id, old.provider_id);
      end if;
      return null;
    end $$;
    create trigger availability_raises_version after insert or update or delete on availability
      for each row execute function raise_schedule_version();
    create trigger provider_break_raises_version after insert or update or delete on provider_break
      for each row execute function raise_schedule_version();
    create trigger availability_override_raises_version after insert or update or delete on availability_override
      for each row execute function raise_schedule_version();
    create trigger time_off_raises_version after insert or update or delete on time_off
      for each row execute function raise_schedule_version();
    create trigger closure_raises_version after insert or update or delete on closure
      for each row execute function raise_schedule_version();
    create function raise_schedule_versions_of_clinic() returns trigger language plpgsql as $$
    begin
      if new.time_zone <> old.time_zone then
        update provider set schedule_version = schedule_version + 1 where clinic_id = new.clinic_id;
      end if;
      return null;
    end $$;
    create trigger clinic_raises_versions after update on clinic
      for each row execute function raise_schedule_versions_of_clinic();

    -- A message's text is made from these: when they last changed decides whether a look-up at the provider proves anything.
    create function touch_updated_at() returns trigger language plpgsql as $$
    begin
      new.updated_at := now();
      return new;
    end $$;
    create trigger clinic_is_touched before update on clinic for each row execute function touch_updated_at();
    create trigger provider_is_touched before update on provider for each row execute function touch_updated_at();

    create function raise_own_schedule_version() returns trigger language plpgsql as $$
    begin
      if new.max_daily_appointments <> old.max_daily_appointments and new.schedule_version = old.schedule_version then
        new.schedule_version := old.schedule_version + 1;
      end if;
      return new;
    end $$;
    create trigger provider_raises_version before update on provider
      for each row execute function raise_own_schedule_version();
  `.execute(db);
}
