import type { Tx } from '../db/connection.ts';
import { closeMoveOffer, openOffersFor, tellOfferingSickDay, type MoveOfferRow } from '../db/sick-days.ts';
import type { Act } from './act.ts';
import { giveBackHold } from './hold.ts';

/** Whoever changes a visit has answered what it was offered: the held time is given back, in the caller's own transaction under the lock of its provider. */
export async function withdrawOffersFor(tx: Tx, act: Act, appointmentId: string): Promise<void> {
  for (const offer of await openOffersFor(tx, [appointmentId])) await withdrawMoveOffer(tx, act, offer);
}

/** An open offer is taken back, in the caller's own transaction under the lock of the offered provider; its sick day is told, and sees what is left to do. */
export async function withdrawMoveOffer(tx: Tx, act: Act, offer: MoveOfferRow): Promise<void> {
  await tellOfferingSickDay(tx, offer.appointment_id, 'visitChanged', act.requestId);
  await closeMoveOffer(tx, offer.move_offer_id, 'WITHDRAWN');
  await giveBackHold(tx, act, offer.hold_id);
}
