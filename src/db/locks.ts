import { sql } from 'kysely';
import type { Tx } from './connection.ts';

/**
 * Transaction-scoped advisory locks in the one global order: clinic (shared by doors), then providers sorted, then patients sorted, then rows.
 * Without them the exclusion constraint still refuses the second one, but its racers deadlock for seconds.
 */
export async function lockForBooking(
  tx: Tx,
  locks: { readonly clinicId: string; readonly providerIds: readonly string[]; readonly patientIds: readonly string[] },
): Promise<void> {
  await sql`select lock_clinic_shared(${locks.clinicId})`.execute(tx);
  for (const id of sortedOnce(locks.providerIds)) await sql`select lock_resource(${id})`.execute(tx);
  for (const id of sortedOnce(locks.patientIds)) await sql`select lock_resource(${id})`.execute(tx);
}

/** The whole clinic: nobody books, moves or changes a schedule there until the transaction ends. For what concerns every provider. */
export async function lockClinic(tx: Tx, clinicId: string): Promise<void> {
  await sql`select lock_clinic(${clinicId})`.execute(tx);
}

function sortedOnce(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort();
}
