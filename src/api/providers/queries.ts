import type { Tx } from '../../db/connection.ts';
import { clinicOfProvider } from '../../db/look-ups.ts';
import { findProvider, providersOf } from '../../db/providers.ts';
import { isSpecialty } from '../../db/specialty.ts';
import { plain, type ReadDeps } from '../read.ts';

/** The providers that the context sees, oldest first (their ids grow with time); one row more than `limit` when there is a next page. */
function providersWhere(
  tx: Tx,
  filter: { readonly specialty?: string | undefined; readonly afterId?: string | undefined; readonly limit: number },
) {
  let query = providersOf(tx)
    .orderBy('provider.provider_id')
    .limit(filter.limit + 1);
  if (filter.specialty !== undefined) query = query.where(isSpecialty('provider.specialty', filter.specialty));
  if (filter.afterId !== undefined) query = query.where('provider.provider_id', '>', filter.afterId);
  return query.execute();
}

/**
 * A provider stays with their clinic, so it need be looked up only once. To staff of another clinic memory does not answer: what they may not see takes as
 * long as what does not exist.
 * @param staffOf - the clinic whose staff ask
 */
async function rememberedClinic(
  { connection, clinics }: ReadDeps,
  providerId: string,
  staffOf?: string,
): Promise<string | undefined> {
  const known = clinics.get(providerId);
  if (known !== undefined && (staffOf === undefined || staffOf === known)) return known;
  const found = await clinicOfProvider(connection.db, providerId);
  if (found !== undefined) clinics.keep(providerId, found);
  return found;
}

export const providerReads = {
  clinicOfProvider: rememberedClinic,
  provider: plain(findProvider),
  providers: plain(providersWhere),
};
