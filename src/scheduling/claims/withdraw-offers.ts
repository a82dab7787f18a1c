import type { Tx } from '../../db/connection.ts';
import { loadProviderSchedules } from '../../db/schedules.ts';
import {
  closeMoveOffer,
  openOffersFor,
  openOffersWith,
  tellOfferingSickDay,
  type MoveOfferRow,
} from '../../db/sick-days.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import type { Act } from '../act.ts';
import { giveBackHold } from './hold.ts';

/** Whoever changes a visit has answered what it was offered: the held time is given back, in the caller's own transaction under the lock of its provider. */
export async function withdrawOffersFor(tx: Tx, act: Act, appointmentId: string): Promise<void> {
  for (const offer of await openOffersFor(tx, [appointmentId])) await withdrawMoveOffer(tx, act, offer);
}

/**
 * After a change of a provider's schedule, or of what holds for every provider of the clinic: the offers whose time it refuses, which nobody could accept
 * any more, are taken back, and their sick days look for another time at once. In the transaction of the change, under its lock.
 */
export async function withdrawRefusedOffers(tx: Tx, act: Act, providerId?: string): Promise<void> {
  const { clinicId } = act;
  const offers = await openOffersWith(tx, { clinicId, ...(providerId === undefined ? {} : { providerId }) });
  if (offers.length === 0) return;
  const schedules = await loadProviderSchedules(tx, [...new Set(offers.map((offer) => offer.provider_id))]);
  for (const offer of offers) {
    const schedule = schedules.find((each) => each.providerId === offer.provider_id);
    if (schedule === undefined) continue;
    // As its acceptance is judged: the notice and the horizon are those of the moment in which it was made.
    const from = offer.slot_start.getTime();
    const now = Math.min(offer.created_at.getTime(), act.now.getTime());
    if (judgeSlot({ schedule, from, durationMinutes: offer.duration_minutes, now }).ok) continue;
    await withdrawMoveOffer(tx, act, offer);
  }
}

/** An open offer is taken back, in the caller's own transaction under the lock of the offered provider; its sick day is told, and sees what is left to do. */
async function withdrawMoveOffer(tx: Tx, act: Act, offer: MoveOfferRow): Promise<void> {
  await tellOfferingSickDay(tx, offer.appointment_id, 'visitChanged', act.requestId);
  await closeMoveOffer(tx, offer.move_offer_id, 'WITHDRAWN');
  await giveBackHold(tx, act, offer.hold_id);
}
