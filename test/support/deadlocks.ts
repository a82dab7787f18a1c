import { sql } from 'kysely';
import type { Connection } from '../../src/db/connection.ts';

/**
 * How many deadlocks PostgreSQL has broken in this database since it was made. A backend tells of its own at the latest when it ends: close the
 * connections that are asked about first.
 */
export async function deadlocksIn(owner: Connection): Promise<number> {
  const { rows } = await sql<{ deadlocks: number }>`
    select deadlocks::integer from pg_stat_database where datname = current_database()`.execute(owner.db);
  return rows[0]?.deadlocks ?? Number.NaN;
}
