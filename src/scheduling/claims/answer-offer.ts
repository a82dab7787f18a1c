import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { closeOffer, findOffer, lockOffer, type OfferRow } from '../../db/offers.ts';
import { AppError } from '../../domain/errors.ts';
import type { OfferPurpose } from '../../domain/offer.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { sickDayOffers } from '../sick-day/answered.ts';
import { lockWithResources } from '../visits/lock.ts';
import { moveVisit } from '../visits/move.ts';
import { giveBackHold } from './hold.ts';

interface OfferRef {
  readonly offerId: string;
}

/** What an answer means to whoever has made the offer, in the transaction of the answer. */
export interface OfferMaker {
  readonly accepted: (tx: Tx, act: Act, offer: OfferRow) => Promise<void>;
  readonly declined: (tx: Tx, act: Act, offer: OfferRow) => Promise<void>;
}

const MAKERS: Readonly<Record<OfferPurpose, OfferMaker>> = { sick_day: sickDayOffers };

/** In whose name an offered slot is held: each offer holds one, and only the offer's acceptance can use it. */
export function heldByOffer(offerId: string): string {
  return `offer-${offerId}`;
}

/**
 * Moves the visit to the slot that is held for it, and to nothing else. The clinic has asked for it, so its limits on moving do not count. The first
 * answer wins; repeating it changes nothing.
 *
 * @throws AppError `not_found`, `offer_closed`, `patient_busy`, or a rule that refuses the slot since it was offered
 */
export function acceptOffer(deps: SchedulingDeps, act: Act, { offerId }: OfferRef): Promise<OfferRow> {
  return door(deps, act, async (tx) => {
    const seen = await findOffer(tx, offerId);
    if (seen === undefined) throw new AppError('not_found');
    const { row: visit } = await lockWithResources(tx, act.clinicId, seen.appointment_id, seen.provider_id);
    const offer = await lockOffer(tx, offerId, act.now);
    if (offer?.state === 'ACCEPTED') return offer;
    // Whoever has moved, cancelled or begun the visit meanwhile has answered in another way.
    if (offer?.live !== true || visit.version !== offer.appointment_version) throw new AppError('offer_closed');

    await closeOffer(tx, offerId, 'ACCEPTED');
    // First: the move resolves what is still open.
    await MAKERS[offer.purpose].accepted(tx, act, offer);
    await moveVisit(deps, tx, act, {
      appointmentId: offer.appointment_id,
      expectedVersion: offer.appointment_version,
      appointmentTime: offer.slot_start,
      durationMinutes: offer.duration_minutes,
      providerId: offer.provider_id,
      hold: { holdId: offer.hold_id, heldBy: heldByOffer(offerId) },
      offered: true,
    });
    return answered(tx, act, offer, 'accepted');
  });
}

/**
 * The patient does not want it: the slot is everybody's again, and whoever has made the offer goes on. The first answer wins; repeating it changes nothing.
 * @throws AppError `not_found`, `offer_closed`
 */
export function declineOffer(deps: SchedulingDeps, act: Act, { offerId }: OfferRef): Promise<OfferRow> {
  return door(deps, act, async (tx) => {
    const seen = await findOffer(tx, offerId);
    if (seen === undefined) throw new AppError('not_found');
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [seen.provider_id], patientIds: [] });
    const offer = await lockOffer(tx, offerId, act.now);
    if (offer?.state === 'DECLINED') return offer;
    if (offer?.live !== true) throw new AppError('offer_closed');

    await closeOffer(tx, offerId, 'DECLINED');
    await giveBackHold(tx, act, offer.hold_id);
    await MAKERS[offer.purpose].declined(tx, act, offer);
    return answered(tx, act, offer, 'declined');
  });
}

async function answered(tx: Tx, act: Act, offer: OfferRow, action: string): Promise<OfferRow> {
  await audit(tx, act, 'offer', offer.offer_id, action, {
    purpose: offer.purpose,
    appointmentId: offer.appointment_id,
    step: offer.step ?? undefined,
  });
  const after = await findOffer(tx, offer.offer_id);
  if (after === undefined) throw new AppError('not_found');
  return after;
}
