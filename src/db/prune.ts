import { sql } from 'kysely';
import { translated, type Db } from './connection.ts';

/** In this order: whoever refers to a row goes before it. */
export const PRUNED_TABLES = [
  'reservation',
  'idempotency_key',
  'hold',
  'outbox',
  'round_candidate',
  'waitlist_round',
  'waitlist_entry',
  'replay_item',
  'replay',
  'ehr_sync_item',
  'ehr_sync_run',
  'delivery_attempt',
] as const;

/**
 * Deletes what nothing reads any more, as the relay role; when that is, each table's comment says (`migrations/0012-what-is-kept.sql`). At most `limit`
 * rows; returns how many.
 */
export async function prune(db: Db, table: (typeof PRUNED_TABLES)[number], limit: number): Promise<number> {
  const { rows } = await translated(() =>
    sql<{ count: number }>`select prune(${table}, ${limit}) as count`.execute(db),
  );
  return rows[0]?.count ?? 0;
}
