import type { Selectable } from 'kysely';
import type { Tx } from '../../db/connection.ts';
import type { Database } from '../../db/schema.ts';
import { one, plain } from '../read.ts';

export type SyncRunRow = Selectable<Database['ehr_sync_run']>;

const MAX_ITEMS = 1_000;

/** The clinic's sync runs, newest first (their ids grow with time); one row more than `limit` when there is a next page. */
function syncRunsWhere(
  tx: Tx,
  filter: { readonly beforeId?: string | undefined; readonly limit: number },
): Promise<SyncRunRow[]> {
  const query = tx
    .selectFrom('ehr_sync_run')
    .selectAll()
    .orderBy('run_id', 'desc')
    .limit(filter.limit + 1);
  return (filter.beforeId === undefined ? query : query.where('run_id', '<', filter.beforeId)).execute();
}

/** A sync run and what became of each appointment. */
async function findSyncRun(tx: Tx, runId: string) {
  const run = await tx.selectFrom('ehr_sync_run').selectAll().where('run_id', '=', runId).executeTakeFirst();
  if (run === undefined) return undefined;
  const items = await tx
    .selectFrom('ehr_sync_item')
    .select(['appointment_id', 'appointment_version', 'outcome', 'reason', 'ehr_id'])
    .where('run_id', '=', runId)
    .orderBy('appointment_id')
    .limit(MAX_ITEMS)
    .execute();
  return { run, items };
}

export type SyncRunWithItems = NonNullable<Awaited<ReturnType<typeof findSyncRun>>>;

export const syncReads = { syncRuns: plain(syncRunsWhere), syncRun: one('ehr_sync_run', findSyncRun) };
