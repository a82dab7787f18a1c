import { sql } from 'kysely';
import type { Tx } from './connection.ts';
import { findRound, type WaitlistRoundRow } from './waitlist.ts';

/** Gives an open round this long from now, and keeps its slot as long. Returns the round as it is then; reservations run on the database's clock. */
export async function setRoundDeadline(
  tx: Tx,
  roundId: string,
  minutes: number,
): Promise<WaitlistRoundRow | undefined> {
  const deadline = sql<Date>`now() + make_interval(mins => ${minutes})`;
  await tx
    .updateTable('waitlist_round')
    .set({ deadline })
    .where('round_id', '=', roundId)
    .where('state', '=', 'OPEN')
    .execute();
  await tx
    .updateTable('reservation')
    .set({ expires_at: deadline })
    .where('round_id', '=', roundId)
    .where('expires_at', '>', sql<Date>`now()`)
    .execute();
  return findRound(tx, roundId);
}
