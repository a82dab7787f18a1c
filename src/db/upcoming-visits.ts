import { sql } from 'kysely';
import type { ClinicPolicy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';

export type UpcomingLimit = 'too_many_upcoming' | 'too_many_upcoming_with_provider';

/**
 * Which of the clinic's limits on visits ahead would one more visit with the provider break? The caller holds the patient's lock, so that nobody books
 * in between.
 * @param more - how many visits are to be added
 */
export async function upcomingLimits(
  tx: Tx,
  patientId: string,
  providerId: string,
  policy: Pick<ClinicPolicy, 'maxUpcomingPerPatient' | 'maxUpcomingPerProviderAndPatient'>,
  more = 1,
): Promise<UpcomingLimit[]> {
  const { maxUpcomingPerPatient, maxUpcomingPerProviderAndPatient } = policy;
  if (maxUpcomingPerPatient === null && maxUpcomingPerProviderAndPatient === null) return [];
  const { rows } = await sql<{ at_clinic: number; with_provider: number }>`
    select at_clinic, with_provider from upcoming_visits(${patientId}, ${providerId})`.execute(tx);
  const { at_clinic: atClinic = 0, with_provider: withProvider = 0 } = rows[0] ?? {};
  return [
    ...(maxUpcomingPerPatient !== null && atClinic + more > maxUpcomingPerPatient
      ? ['too_many_upcoming' as const]
      : []),
    ...(maxUpcomingPerProviderAndPatient !== null && withProvider + more > maxUpcomingPerProviderAndPatient
      ? ['too_many_upcoming_with_provider' as const]
      : []),
  ];
}
