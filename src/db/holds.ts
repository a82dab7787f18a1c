import { sql, type Selectable } from 'kysely';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

/** A hold, and whether it can still be booked: expiry is by PostgreSQL's clock. */
export type HoldRow = Selectable<Database['hold']> & { readonly live: boolean };

const live = sql<boolean>`state = 'LIVE' and expires_at > now()`.as('live');

/** The hold, if the context sees it. */
export function findHold(tx: Tx, holdId: string): Promise<HoldRow | undefined> {
  return tx.selectFrom('hold').selectAll().select(live).where('hold_id', '=', holdId).executeTakeFirst();
}

/** The hold, locked until the transaction ends. The provider's advisory lock comes first. */
export function lockHold(tx: Tx, holdId: string): Promise<HoldRow | undefined> {
  return tx.selectFrom('hold').selectAll().select(live).where('hold_id', '=', holdId).forUpdate().executeTakeFirst();
}

/**
 * The hold and its reservation last `minutes` more, counted from its end; once only. Undefined when the reservation is gone: the hold expired while the
 * caller waited for the provider's lock, by a `now()` from before the wait it is still live, and somebody else has met it.
 */
export async function prolongHold(tx: Tx, holdId: string, minutes: number): Promise<HoldRow | undefined> {
  const { rows } = await sql<HoldRow>`
    with kept as (
      update reservation set expires_at = expires_at + make_interval(mins => ${minutes}) where hold_id = ${holdId} returning hold_id, expires_at)
    update hold set expires_at = kept.expires_at, extended_at = now() from kept where hold.hold_id = kept.hold_id
    returning hold.*, true as live`.execute(tx);
  return rows[0];
}

/** Gives the held time back to everybody. */
export async function endHold(tx: Tx, holdId: string): Promise<void> {
  await sql`with freed as (delete from reservation where hold_id = ${holdId})
    update hold set state = 'RELEASED' where hold_id = ${holdId}`.execute(tx);
}
