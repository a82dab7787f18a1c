import { inContext, type Connection } from '../db/connection.ts';
import { loadProviderSchedules } from '../db/schedules.ts';
import type { ProviderSchedule } from '../domain/availability/schedule.ts';

/** Which rules of a provider and of their clinic. */
export type ScheduleVersion = Pick<ProviderSchedule, 'providerId' | 'scheduleVersion' | 'policyVersion'>;

/**
 * The providers' rules as last read. They may be out of date: booking compares their versions under the lock and asks for them anew, searching compares
 * them with those it reads together with the busy times.
 * Bounded: the provider that was read first goes first.
 */
export interface ProviderSchedules {
  /** As last read, or read now; undefined when the clinic has no such provider. */
  readonly get: (clinicId: string, providerId: string) => Promise<ProviderSchedule | undefined>;
  /** Read now. */
  readonly reload: (clinicId: string, providerId: string) => Promise<ProviderSchedule | undefined>;
  /** Those of exactly these versions, by provider; what is known of another version is read now, and left out when that is another one again. */
  readonly ofVersions: (
    clinicId: string,
    versions: readonly ScheduleVersion[],
  ) => Promise<ReadonlyMap<string, ProviderSchedule>>;
}

export function createProviderSchedules(connection: Connection, capacity = 2_000): ProviderSchedules {
  const known = new Map<string, ProviderSchedule>();
  const get = (clinicId: string, providerId: string): ProviderSchedule | undefined => {
    const schedule = known.get(providerId);
    return schedule?.clinicId === clinicId ? schedule : undefined;
  };
  const load = async (clinicId: string, providerIds: readonly string[]): Promise<ProviderSchedule[]> => {
    const schedules = await inContext(connection.db, { clinicId }, (tx) => loadProviderSchedules(tx, providerIds));
    for (const providerId of providerIds) known.delete(providerId);
    for (const schedule of schedules) known.set(schedule.providerId, schedule);
    for (const oldest of known.keys()) {
      if (known.size <= capacity) break;
      known.delete(oldest);
    }
    return schedules;
  };
  const reload = async (clinicId: string, providerId: string): Promise<ProviderSchedule | undefined> =>
    (await load(clinicId, [providerId]))[0];
  return {
    reload,
    get: (clinicId, providerId) => {
      const schedule = get(clinicId, providerId);
      return schedule === undefined ? reload(clinicId, providerId) : Promise.resolve(schedule);
    },
    ofVersions: async (clinicId, versions) => {
      const found = new Map<string, ProviderSchedule>();
      const keep = (asked: ScheduleVersion, schedule: ProviderSchedule | undefined): boolean => {
        if (schedule === undefined || !isOfVersion(schedule, asked)) return false;
        found.set(asked.providerId, schedule);
        return true;
      };
      const others = versions.filter((asked) => !keep(asked, get(clinicId, asked.providerId)));
      if (others.length === 0) return found;
      const loaded = await load(
        clinicId,
        others.map(({ providerId }) => providerId),
      );
      for (const asked of others)
        keep(
          asked,
          loaded.find(({ providerId }) => providerId === asked.providerId),
        );
      return found;
    },
  };
}

function isOfVersion(schedule: ProviderSchedule, { scheduleVersion, policyVersion }: ScheduleVersion): boolean {
  return schedule.scheduleVersion === scheduleVersion && schedule.policyVersion === policyVersion;
}
