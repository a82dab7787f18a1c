import { sql, type Kysely } from 'kysely';

/** What the patient was told of a visit, and whom a message asks to call. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table clinic add column phone text check (phone ~ '^\\+[1-9][0-9]{6,14}$');
    alter table notification
      add column told_provider_id uuid,
      add column told_minutes integer,
      add constraint notification_told_provider_fkey foreign key (clinic_id, told_provider_id) references provider (clinic_id, provider_id);
  `.execute(db);
}
