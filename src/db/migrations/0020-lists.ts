import { sql, type Kysely } from 'kysely';

/** A page of a clinic's visits or messages is read in its order from an index, however many there are. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index appointment_of_clinic on appointment (clinic_id, appointment_time, appointment_id);
    create index notification_of_clinic on notification (clinic_id, created_at, notification_id);
  `.execute(db);
}
