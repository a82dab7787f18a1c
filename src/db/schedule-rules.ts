import { sql } from 'kysely';
import type { Interval } from '../domain/interval.ts';
import type { Tx } from './connection.ts';
import { range } from './look-ups.ts';

/*
 * The rows of which a schedule is made. Whoever writes them holds the provider's lock, or the clinic's for closures; the triggers of migrations 0002
 * and 0015 raise `schedule_version`, which booking compares under the same lock.
 */

export async function insertTimeOff(
  tx: Tx,
  timeOff: {
    readonly timeOffId: string;
    readonly clinicId: string;
    readonly providerId: string;
    readonly during: Interval;
  },
): Promise<void> {
  const { timeOffId, clinicId, providerId, during } = timeOff;
  await sql`insert into time_off (time_off_id, clinic_id, provider_id, during)
    values (${timeOffId}, ${clinicId}, ${providerId}, ${range(during.from, during.to)}::tstzrange)`.execute(tx);
}

/** Returns whether the provider had it. */
export async function deleteTimeOff(tx: Tx, providerId: string, timeOffId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('time_off')
    .where('time_off_id', '=', timeOffId)
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
