import { sql, type Kysely } from 'kysely';

/** What has just happened is told before what the sweep or a rebuild has written, however much that is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    drop index outbox_open;
    create index outbox_open on outbox ((event = 'overdue'), outbox_id) where done_at is null and parked_reason is null;
  `.execute(db);
}
