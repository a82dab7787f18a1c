import { findClinic, type ClinicRow } from '../../db/clinics.ts';
import type { Tx } from '../../db/connection.ts';
import { plain } from '../read.ts';

/** The clinics that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
function clinicsWhere(
  tx: Tx,
  filter: { readonly afterId?: string | undefined; readonly limit: number },
): Promise<ClinicRow[]> {
  const query = tx
    .selectFrom('clinic')
    .selectAll()
    .orderBy('clinic_id')
    .limit(filter.limit + 1);
  return (filter.afterId === undefined ? query : query.where('clinic_id', '>', filter.afterId)).execute();
}

export const clinicReads = { clinic: plain(findClinic), clinics: plain(clinicsWhere) };
