import { sql } from 'kysely';
import type { ClinicPolicy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';

type UpcomingPolicy = Pick<ClinicPolicy, 'maxUpcomingPerPatient' | 'maxUpcomingPerProviderAndPatient'>;

export type UpcomingLimit = 'too_many_upcoming' | 'too_many_upcoming_with_provider';

/**
 * Which of the clinic's limits on visits ahead would one more visit with the provider break? The caller holds the patient's lock, so that nobody books
 * in between.
 */
export async function upcomingLimits(
  tx: Tx,
  patientId: string,
  providerId: string,
  policy: UpcomingPolicy,
): Promise<UpcomingLimit[]> {
  const [limits = []] = await upcomingLimitsOfEach(tx, patientId, providerId, policy, 1);
  return limits;
}

/** As {@link upcomingLimits}, for `count` more visits: which limits would the first of them break, the second, and so on? */
export async function upcomingLimitsOfEach(
  tx: Tx,
  patientId: string,
  providerId: string,
  policy: UpcomingPolicy,
  count: number,
): Promise<UpcomingLimit[][]> {
  const { maxUpcomingPerPatient, maxUpcomingPerProviderAndPatient } = policy;
  if (maxUpcomingPerPatient === null && maxUpcomingPerProviderAndPatient === null) {
    return Array.from({ length: count }, () => []);
  }
  const { rows } = await sql<{ at_clinic: number; with_provider: number }>`
    select at_clinic, with_provider from upcoming_visits(${patientId}, ${providerId})`.execute(tx);
  const { at_clinic: atClinic = 0, with_provider: withProvider = 0 } = rows[0] ?? {};
  return Array.from({ length: count }, (_, before): UpcomingLimit[] => [
    ...(maxUpcomingPerPatient !== null && atClinic + before >= maxUpcomingPerPatient
      ? ['too_many_upcoming' as const]
      : []),
    ...(maxUpcomingPerProviderAndPatient !== null && withProvider + before >= maxUpcomingPerProviderAndPatient
      ? ['too_many_upcoming_with_provider' as const]
      : []),
  ]);
}
