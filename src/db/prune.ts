import { sql } from 'kysely';
import { translated, type Db } from './connection.ts';

/**
 * Deletes what nothing reads any more, as the relay role: reservations that are past or have expired, idempotency keys after three days, holds and told
 * outbox rows after seven. At most `limit` rows of each; returns how many.
 */
export async function prune(db: Db, limit: number): Promise<number> {
  const { rows } = await translated(() => sql<{ count: number }>`select prune(${limit}) as count`.execute(db));
  return rows[0]?.count ?? 0;
}
