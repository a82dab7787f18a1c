import { sql } from 'kysely';
import type { Tx } from './connection.ts';

/**
 * Transaction-scoped advisory locks in the one global order of the function `lock_for_booking`. Without them the exclusion constraint still refuses the
 * second one, but its racers deadlock for seconds.
 */
export async function lockForBooking(
  tx: Tx,
  locks: { readonly clinicId: string; readonly providerIds: readonly string[]; readonly patientIds: readonly string[] },
): Promise<void> {
  await sql`select lock_for_booking(${locks.clinicId}, ${[...locks.providerIds]}::uuid[], ${[...locks.patientIds]}::uuid[])`.execute(
    tx,
  );
}

/** The whole clinic: nobody books, moves or changes a schedule there until the transaction ends. For what concerns every provider. */
export async function lockClinic(tx: Tx, clinicId: string): Promise<void> {
  await sql`select lock_clinic(${clinicId})`.execute(tx);
}
