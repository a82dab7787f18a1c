import { sql, type Kysely } from 'kysely';

/** Closures that come from a calendar file, and schedule versions that rise once a statement however many closures it writes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- An event that recurs is several closures. The unique index is the guard: a file that is imported twice doubles nothing.
    alter table closure add column calendar_uid text check (length(calendar_uid) between 1 and 255);
    create unique index closure_of_calendar on closure (clinic_id, calendar_uid, from_date) where calendar_uid is not null;

    -- By row, a file of a hundred holidays would write every provider of the clinic a hundred times.
    create function raise_schedule_versions_of_closed() returns trigger language plpgsql as $$
    begin
      update provider set schedule_version = schedule_version + 1
        where clinic_id in (select clinic_id from changed);
      return null;
    end $$;
    drop trigger closure_raises_version on closure;
    create trigger closure_added_raises_version after insert on closure referencing new table as changed
      for each statement execute function raise_schedule_versions_of_closed();
    create trigger closure_changed_raises_version after update on closure referencing new table as changed
      for each statement execute function raise_schedule_versions_of_closed();
    create trigger closure_removed_raises_version after delete on closure referencing old table as changed
      for each statement execute function raise_schedule_versions_of_closed();
  `.execute(db);
}
