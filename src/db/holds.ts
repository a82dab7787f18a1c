import { sql, type Selectable } from 'kysely';
import type { Interval } from '../domain/interval.ts';
import type { Tx } from './connection.ts';
import { range } from './look-ups.ts';
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

/** How many live holds somebody has at the clinic. Waits for whoever is placing one in the same name, so that nobody counts too few. */
export async function countHolds(tx: Tx, heldBy: string): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`holder:${heldBy}`}, 0))`.execute(tx);
  const row = await tx
    .selectFrom('hold')
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('held_by', '=', heldBy)
    .where('state', '=', 'LIVE')
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** What is held, for how long. */
export interface NewHold {
  readonly holdId: string;
  readonly clinicId: string;
  readonly providerId: string;
  readonly slotStart: Date;
  readonly durationMinutes: number;
  readonly heldBy: string;
  /** The visit with the provider's buffers. */
  readonly during: Interval;
  readonly minutes: number;
  /** The moment by whose notice and horizon the slot was granted. */
  readonly judgedAt: Date;
}

/** Writes the hold and its reservation. Undefined, and nothing is held, when somebody has the time already: then the transaction must be given up. */
export async function insertHold(tx: Tx, hold: NewHold): Promise<HoldRow | undefined> {
  // Reckoned twice by PostgreSQL: on its way through a Date an instant loses its microseconds, and the two would not end together.
  const until = sql<Date>`now() + make_interval(mins => ${hold.minutes})`;
  const row = await tx
    .insertInto('hold')
    .values({
      hold_id: hold.holdId,
      clinic_id: hold.clinicId,
      provider_id: hold.providerId,
      slot_start: hold.slotStart,
      duration_minutes: hold.durationMinutes,
      held_by: hold.heldBy,
      state: 'LIVE',
      expires_at: until,
      judged_at: hold.judgedAt,
      appointment_id: null,
    })
    .returningAll()
    .returning(live)
    .executeTakeFirstOrThrow();
  const { rows } = await sql`
    insert into reservation (clinic_id, resource_id, during, purpose, hold_id, expires_at)
    values (${hold.clinicId}, ${hold.providerId}, ${range(hold.during.from, hold.during.to)}::tstzrange, 'HOLD', ${hold.holdId}, ${until})
    on conflict do nothing returning reservation_id`.execute(tx);
  return rows.length === 1 ? row : undefined;
}

/**
 * The hold and its reservation last `minutes` from now on; once only. Undefined when the reservation is gone: the hold expired while the caller waited
 * for the provider's lock, by a `now()` from before the wait it is still live, and somebody else has met it.
 */
export async function prolongHold(tx: Tx, holdId: string, minutes: number): Promise<HoldRow | undefined> {
  const until = sql<Date>`now() + make_interval(mins => ${minutes})`;
  const kept = await tx
    .updateTable('reservation')
    .set({ expires_at: until })
    .where('hold_id', '=', holdId)
    .executeTakeFirstOrThrow();
  if (kept.numUpdatedRows === 0n) return undefined;
  return tx
    .updateTable('hold')
    .set({ expires_at: until, extended_at: sql`now()` })
    .where('hold_id', '=', holdId)
    .returningAll()
    .returning(live)
    .executeTakeFirstOrThrow();
}

/** Gives the held time back: to everybody, or to the appointment that is about to reserve it. */
export async function endHold(
  tx: Tx,
  holdId: string,
  end: { readonly state: 'RELEASED' } | { readonly state: 'BOOKED'; readonly appointmentId: string },
): Promise<void> {
  await tx.deleteFrom('reservation').where('hold_id', '=', holdId).execute();
  await tx
    .updateTable('hold')
    .set({ state: end.state, appointment_id: end.state === 'BOOKED' ? end.appointmentId : null })
    .where('hold_id', '=', holdId)
    .execute();
}
