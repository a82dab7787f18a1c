import { inContext, type Connection, type Tx } from '../db/connection.ts';
import { loadProviderSchedules, type LoadedSchedule } from '../db/schedules.ts';
import type { ProviderSchedule } from '../domain/availability/schedule.ts';
import { AppError } from '../domain/errors.ts';

/** Which rules of a provider and of their clinic. */
export type ScheduleVersion = Pick<ProviderSchedule, 'providerId' | 'scheduleVersion' | 'policyVersion'>;

/**
 * The providers' rules as last read. They may be out of date: booking compares their versions under the lock and asks for them anew, searching compares
 * them with those it reads together with the busy times.
 * Bounded: the provider that was read first goes first.
 */
export interface ProviderSchedules {
  /** As last read, or read now; undefined when the clinic has no such provider. */
  readonly get: (clinicId: string, providerId: string) => Promise<LoadedSchedule | undefined>;
  /** Read now. */
  readonly reload: (clinicId: string, providerId: string) => Promise<LoadedSchedule | undefined>;
  /** Those of exactly these versions, by provider; what is known of another version is read now, and left out when that is another one again. */
  readonly ofVersions: (
    clinicId: string,
    versions: readonly ScheduleVersion[],
  ) => Promise<ReadonlyMap<string, ProviderSchedule>>;
  /**
   * As last read, or read now in the caller's transaction; without those that the clinic does not have. The transaction has changed none of them: what
   * it reads is kept.
   */
  readonly all: (tx: Tx, clinicId: string, providerIds: readonly string[]) => Promise<readonly LoadedSchedule[]>;
  /** As {@link all}, read now. */
  readonly readIn: (tx: Tx, providerIds: readonly string[]) => Promise<readonly LoadedSchedule[]>;
  /** As {@link all}: of this very version, which the caller has read under the provider's lock. @throws AppError `not_found` */
  readonly underLock: (tx: Tx, clinicId: string, version: ScheduleVersion) => Promise<LoadedSchedule>;
}

export function createProviderSchedules(connection: Connection, capacity = 2_000): ProviderSchedules {
  const known = new Map<string, LoadedSchedule>();
  const get = (clinicId: string, providerId: string): LoadedSchedule | undefined => {
    const schedule = known.get(providerId);
    return schedule?.clinicId === clinicId ? schedule : undefined;
  };
  const readIn = async (tx: Tx, providerIds: readonly string[]): Promise<LoadedSchedule[]> => {
    const schedules = await loadProviderSchedules(tx, providerIds);
    for (const providerId of providerIds) known.delete(providerId);
    for (const schedule of schedules) known.set(schedule.providerId, schedule);
    for (const oldest of known.keys()) {
      if (known.size <= capacity) break;
      known.delete(oldest);
    }
    return schedules;
  };
  const load = (clinicId: string, providerIds: readonly string[]): Promise<LoadedSchedule[]> =>
    inContext(connection.db, { clinicId }, (tx) => readIn(tx, providerIds));
  const reload = async (clinicId: string, providerId: string): Promise<LoadedSchedule | undefined> =>
    (await load(clinicId, [providerId]))[0];
  return {
    reload,
    readIn,
    all: async (tx, clinicId, providerIds) => {
      const found = providerIds.flatMap((providerId) => get(clinicId, providerId) ?? []);
      return found.length === providerIds.length ? found : readIn(tx, providerIds);
    },
    underLock: async (tx, clinicId, version) => {
      const schedule = get(clinicId, version.providerId);
      if (schedule !== undefined && isOfVersion(schedule, version)) return schedule;
      const [read] = await readIn(tx, [version.providerId]);
      if (read === undefined) throw new AppError('not_found');
      return read;
    },
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
