import { sql } from 'kysely';
import { translated, type Db } from './connection.ts';

/** What has a workflow, in the order in which it is told again. */
const LIVE = ['planned appointments', 'other appointments', 'rounds', 'replays', 'sick days'] as const;

/** How far a rebuild is. */
export interface RebuildPage {
  readonly what: (typeof LIVE)[number];
  /** Rows of the outbox that this page wrote; those that were open already are not counted. */
  readonly told: number;
}

/**
 * Tells everything that is live again, for when Temporal's data is lost, as the relay role. A transaction for each page of `pageSize`: whoever stops in
 * between has told what was reported, and the next run begins anew without telling twice what is still to be told.
 */
export async function* enqueueLive(db: Db, pageSize: number): AsyncGenerator<RebuildPage> {
  for (const what of LIVE) {
    let after: unknown = null;
    do {
      const { told, last } = await nextPage(db, what, after, pageSize);
      if (last !== null) yield { what, told };
      after = last;
    } while (after !== null);
  }
}

async function nextPage(db: Db, what: string, after: unknown, limit: number) {
  const { rows } = await translated(() =>
    sql<{ told: number; last: unknown }>`
      select told, last from enqueue_live(${what}, ${after === null ? null : JSON.stringify(after)}::jsonb, ${limit})`.execute(
      db,
    ),
  );
  return rows[0] ?? { told: 0, last: null };
}
