import { sql, type Selectable } from 'kysely';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';
import { isSpecialty } from './specialty.ts';

export type WaitlistEntryRow = Selectable<Database['waitlist_entry']>;
export type WaitlistRoundRow = Selectable<Database['waitlist_round']>;

/** Everybody at the clinic who waits for this provider or their specialty: the ranking decides who fits. */
export function waitingEntries(tx: Tx, providerId: string, specialty: string): Promise<WaitlistEntryRow[]> {
  return tx
    .selectFrom('waitlist_entry')
    .selectAll()
    .where('status', '=', 'WAITING')
    .where((eb) => eb.or([eb('provider_id', '=', providerId), isSpecialty('specialty', specialty)]))
    .orderBy('entry_id')
    .execute();
}

/** Locks the entry if it still waits. */
export function lockWaitingEntry(tx: Tx, entryId: string): Promise<WaitlistEntryRow | undefined> {
  return tx
    .selectFrom('waitlist_entry')
    .selectAll()
    .where('entry_id', '=', entryId)
    .where('status', '=', 'WAITING')
    .forUpdate()
    .executeTakeFirst();
}

/** The round, locked until the transaction ends. */
export function lockRound(tx: Tx, roundId: string): Promise<WaitlistRoundRow | undefined> {
  return tx.selectFrom('waitlist_round').selectAll().where('round_id', '=', roundId).forUpdate().executeTakeFirst();
}

export function findRound(tx: Tx, roundId: string): Promise<WaitlistRoundRow | undefined> {
  return tx.selectFrom('waitlist_round').selectAll().where('round_id', '=', roundId).executeTakeFirst();
}

/** The open round that this appointment's freed slot started, if any: what its workflow has to see to. */
export async function openRoundOf(tx: Tx, appointmentId: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom('waitlist_round')
    .select('round_id')
    .where('freed_appointment_id', '=', appointmentId)
    .where('state', '=', 'OPEN')
    .executeTakeFirst();
  return row?.round_id;
}

/** Records how one entry fared in a round; repeated, the last word counts. */
export async function recordOffer(
  tx: Tx,
  offer: {
    readonly offerId: string;
    readonly clinicId: string;
    readonly roundId: string;
    readonly entryId: string;
    readonly state: 'BOOKED' | 'PASSED';
    readonly reason: string | null;
  },
): Promise<void> {
  await tx
    .insertInto('waitlist_offer')
    .values({
      offer_id: offer.offerId,
      clinic_id: offer.clinicId,
      round_id: offer.roundId,
      entry_id: offer.entryId,
      state: offer.state,
      reason: offer.reason,
    })
    .onConflict((oc) => oc.columns(['round_id', 'entry_id']).doUpdateSet({ state: offer.state, reason: offer.reason }))
    .execute();
}

/** Closes the round. */
export async function closeRound(
  tx: Tx,
  roundId: string,
  end:
    | { readonly state: 'FILLED'; readonly appointmentId: string }
    | { readonly state: 'RELEASED'; readonly reason: string },
): Promise<void> {
  await tx
    .updateTable('waitlist_round')
    .set({
      state: end.state,
      filled_appointment_id: end.state === 'FILLED' ? end.appointmentId : null,
      closed_at: sql`now()`,
      closed_reason: end.state === 'RELEASED' ? end.reason : null,
    })
    .where('round_id', '=', roundId)
    .execute();
}
