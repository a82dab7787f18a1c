import type { Tx } from '../../db/connection.ts';
import { providersOf } from '../../db/providers.ts';
import { isSpecialty } from '../../db/specialty.ts';

/** The providers that the context sees, by name; one row more than `limit` when there is a next page. */
export function providersWhere(
  tx: Tx,
  filter: { readonly specialty?: string; readonly afterId?: string; readonly limit: number },
) {
  let query = providersOf(tx)
    .orderBy('provider.provider_id')
    .limit(filter.limit + 1);
  if (filter.specialty !== undefined) query = query.where(isSpecialty('provider.specialty', filter.specialty));
  if (filter.afterId !== undefined) query = query.where('provider.provider_id', '>', filter.afterId);
  return query.execute();
}
