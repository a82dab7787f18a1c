import type { ClinicRow } from '../../db/clinics.ts';
import type { Tx } from '../../db/connection.ts';

/** The clinics that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
export function clinicsWhere(
  tx: Tx,
  filter: { readonly afterId?: string; readonly limit: number },
): Promise<ClinicRow[]> {
  const query = tx
    .selectFrom('clinic')
    .selectAll()
    .orderBy('clinic_id')
    .limit(filter.limit + 1);
  return (filter.afterId === undefined ? query : query.where('clinic_id', '>', filter.afterId)).execute();
}
