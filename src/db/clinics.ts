import type { Selectable } from 'kysely';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type ClinicRow = Selectable<Database['clinic']>;

/** The clinic, if the context sees it. */
export function findClinic(tx: Tx, clinicId: string): Promise<ClinicRow | undefined> {
  return tx.selectFrom('clinic').selectAll().where('clinic_id', '=', clinicId).executeTakeFirst();
}
