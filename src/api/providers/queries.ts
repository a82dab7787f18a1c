import { busyRanges } from '../../db/look-ups.ts';
import type { Tx } from '../../db/connection.ts';
import { providersOf } from '../../db/providers.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import { busyRange, type BusyTime, type ProviderSchedule } from '../../domain/availability.ts';

/** A provider's rules, and when they are busy around a date: times, never whose. */
export async function providerTime(
  tx: Tx,
  providerId: string,
  search: { readonly date: string; readonly durationMinutes: number },
): Promise<{ readonly schedule: ProviderSchedule; readonly busy: readonly BusyTime[] } | undefined> {
  const schedule = await loadProviderSchedule(tx, providerId);
  if (schedule === undefined) return undefined;
  const { from, to } = busyRange(schedule, search.date, search.date, search.durationMinutes);
  return { schedule, busy: await busyRanges(tx, providerId, from, to) };
}

/** The providers that the context sees, by name; one row more than `limit` when there is a next page. */
export function providersWhere(
  tx: Tx,
  filter: { readonly specialty?: string; readonly afterId?: string; readonly limit: number },
) {
  let query = providersOf(tx)
    .orderBy('provider.provider_id')
    .limit(filter.limit + 1);
  if (filter.specialty !== undefined) query = query.where('provider.specialty', '=', filter.specialty);
  if (filter.afterId !== undefined) query = query.where('provider.provider_id', '>', filter.afterId);
  return query.execute();
}
