import { inContext, type Connection } from '../db/connection.ts';
import { loadProviderSchedule } from '../db/schedules.ts';
import type { ProviderSchedule } from '../domain/availability.ts';

/**
 * The providers' rules as last read. They may be out of date: booking compares their versions under the lock and asks for them anew.
 * Bounded: the provider that was read first goes first.
 */
export interface ProviderSchedules {
  /** As last read, or read now; undefined when the clinic has no such provider. */
  readonly get: (clinicId: string, providerId: string) => Promise<ProviderSchedule | undefined>;
  /** Read now. */
  readonly reload: (clinicId: string, providerId: string) => Promise<ProviderSchedule | undefined>;
}

export function createProviderSchedules(connection: Connection, capacity = 2_000): ProviderSchedules {
  const known = new Map<string, ProviderSchedule>();
  const reload = async (clinicId: string, providerId: string): Promise<ProviderSchedule | undefined> => {
    const schedule = await inContext(connection.db, { clinicId }, (tx) => loadProviderSchedule(tx, providerId));
    known.delete(providerId);
    if (schedule === undefined) return undefined;
    known.set(providerId, schedule);
    const oldest = known.keys().next();
    if (known.size > capacity && oldest.done !== true) known.delete(oldest.value);
    return schedule;
  };
  return {
    reload,
    get: (clinicId, providerId) => {
      const schedule = known.get(providerId);
      return schedule?.clinicId === clinicId ? Promise.resolve(schedule) : reload(clinicId, providerId);
    },
  };
}
