import type { Kysely, Selectable } from 'kysely';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type ClinicRow = Selectable<Database['clinic']>;

/** The clinic, if the context sees it. */
export function findClinic(tx: Tx, clinicId: string): Promise<ClinicRow | undefined> {
  return tx.selectFrom('clinic').selectAll().where('clinic_id', '=', clinicId).executeTakeFirst();
}

/** Writes a clinic with the usual policy, as the owner. Returns whether its slug was free. */
export async function insertClinic(
  owner: Kysely<Database>,
  clinic: { readonly clinicId: string; readonly name: string; readonly slug: string; readonly timeZone: string },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await owner
    .insertInto('clinic')
    .values({
      clinic_id: clinic.clinicId,
      name: clinic.name,
      slug: clinic.slug,
      time_zone: clinic.timeZone,
      policy: JSON.stringify(DEFAULT_POLICY),
    })
    .onConflict((conflict) => conflict.constraint('clinic_slug_unique').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
