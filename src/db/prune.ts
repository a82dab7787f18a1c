import { sql } from 'kysely';
import { translated, type Db } from './connection.ts';

/** In this order: a hold goes after its reservation. */
export const PRUNED_TABLES = ['reservation', 'idempotency_key', 'hold', 'outbox'] as const;

/**
 * Deletes what nothing reads any more, as the relay role: reservations that are past or have expired, idempotency keys after three days, holds and told
 * outbox rows after seven. At most `limit` rows; returns how many.
 */
export async function prune(db: Db, table: (typeof PRUNED_TABLES)[number], limit: number): Promise<number> {
  const { rows } = await translated(() =>
    sql<{ count: number }>`select prune(${table}, ${limit}) as count`.execute(db),
  );
  return rows[0]?.count ?? 0;
}
