import type { Tx } from '../../db/connection.ts';
import type { WaitlistEntryRow } from '../../db/waitlist.ts';
import { list, one } from '../read.ts';

/** The entries that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
function waitlistEntriesWhere(
  tx: Tx,
  filter: {
    readonly status?: WaitlistEntryRow['status'] | undefined;
    readonly providerId?: string | undefined;
    readonly patientId?: string | undefined;
    readonly afterId?: string | undefined;
    readonly limit: number;
  },
): Promise<WaitlistEntryRow[]> {
  let query = tx
    .selectFrom('waitlist_entry')
    .selectAll()
    .orderBy('entry_id')
    .limit(filter.limit + 1);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.providerId !== undefined) query = query.where('provider_id', '=', filter.providerId);
  if (filter.patientId !== undefined) query = query.where('patient_id', '=', filter.patientId);
  if (filter.afterId !== undefined) query = query.where('entry_id', '>', filter.afterId);
  return query.execute();
}

function findWaitlistEntry(tx: Tx, entryId: string): Promise<WaitlistEntryRow | undefined> {
  return tx.selectFrom('waitlist_entry').selectAll().where('entry_id', '=', entryId).executeTakeFirst();
}

export const waitlistReads = {
  waitlistEntry: one('waitlist_entry', findWaitlistEntry),
  waitlistEntries: list('waitlist_entries', waitlistEntriesWhere),
};
