import type { Tx } from '../../db/connection.ts';
import { openOffersWith, withdrawOffers, withdrawOffersOfVisit } from '../../db/offers.ts';
import { loadProviderSchedules } from '../../db/schedules.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import type { Act } from '../act.ts';

/** Whoever changes a visit has answered what it was offered: the held time is given back, in the caller's own transaction under the lock of its provider. */
export function withdrawOffersFor(tx: Tx, act: Act, appointmentId: string): Promise<void> {
  return withdrawOffersOfVisit(tx, act, appointmentId);
}

/**
 * After a change of a provider's schedule, or of what holds for every provider of the clinic: the offers whose time it refuses, which nobody could accept
 * any more, are taken back, and whoever has made them looks for another time at once. In the transaction of the change, under its lock.
 */
export async function withdrawRefusedOffers(tx: Tx, act: Act, providerId?: string): Promise<void> {
  const offers = await openOffersWith(tx, { clinicId: act.clinicId, providerId });
  if (offers.length === 0) return;
  const schedules = await loadProviderSchedules(tx, [...new Set(offers.map((offer) => offer.provider_id))]);
  const refused = offers.filter((offer) => {
    const schedule = schedules.find((each) => each.providerId === offer.provider_id);
    if (schedule === undefined) return false;
    // As its acceptance is judged: the notice and the horizon are those of the moment in which the slot was held.
    const { slot_start: start, duration_minutes: durationMinutes, judged_at: heldSince } = offer;
    return !judgeSlot({ schedule, from: start.getTime(), durationMinutes, now: heldSince.getTime() }).ok;
  });
  await withdrawOffers(
    tx,
    act,
    refused.map((offer) => offer.offer_id),
    'visitChanged',
  );
}
