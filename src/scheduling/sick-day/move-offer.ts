import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { enqueue } from '../../db/outbox.ts';
import {
  changeItem,
  closeMoveOffer,
  findItem,
  findMoveOffer,
  lockMoveOffer,
  type MoveOfferRow,
} from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { giveBackHold } from '../claims/hold.ts';
import { lockWithResources } from '../visits/lock.ts';
import { moveVisit } from '../visits/move.ts';

interface OfferRef {
  readonly moveOfferId: string;
}

/** In whose name an offered slot is held: each offer holds one, and only the offer's acceptance can use it. */
export function heldByOffer(moveOfferId: string): string {
  return `move-offer-${moveOfferId}`;
}

/**
 * Moves the visit to the slot that is held for it, and to nothing else. The clinic has asked for it, so its limits on moving do not count. The first
 * answer wins; repeating it changes nothing.
 *
 * @throws AppError `not_found`, `move_offer_closed`, `patient_busy`, or a rule that refuses the slot since it was offered
 */
export function acceptMoveOffer(deps: SchedulingDeps, act: Act, { moveOfferId }: OfferRef): Promise<MoveOfferRow> {
  return door(deps, act, async (tx) => {
    const seen = await findMoveOffer(tx, moveOfferId);
    if (seen === undefined) throw new AppError('not_found');
    const { row: visit } = await lockWithResources(tx, act.clinicId, seen.appointment_id, seen.provider_id);
    const offer = await lockMoveOffer(tx, moveOfferId, act.now);
    if (offer?.state === 'ACCEPTED') return offer;
    // Whoever has moved, cancelled or begun the visit meanwhile has answered in another way.
    if (offer?.live !== true || visit.version !== offer.appointment_version) throw new AppError('move_offer_closed');

    await closeMoveOffer(tx, moveOfferId, 'ACCEPTED');
    // First: the move settles what is still open.
    await changeItem(tx, itemOf(offer), { state: 'MOVED', reason: offer.step });
    await moveVisit(deps, tx, act, {
      appointmentId: offer.appointment_id,
      expectedVersion: offer.appointment_version,
      appointmentTime: offer.slot_start,
      durationMinutes: offer.duration_minutes,
      providerId: offer.provider_id,
      hold: { holdId: offer.hold_id, heldBy: heldByOffer(moveOfferId) },
      offered: true,
    });
    return answered(tx, act, offer, 'accepted');
  });
}

/**
 * The patient does not want it: the slot is everybody's again, and the sick day takes its next step. The first answer wins; repeating it changes nothing.
 * @throws AppError `not_found`, `move_offer_closed`
 */
export function declineMoveOffer(deps: SchedulingDeps, act: Act, { moveOfferId }: OfferRef): Promise<MoveOfferRow> {
  return door(deps, act, async (tx) => {
    const seen = await findMoveOffer(tx, moveOfferId);
    if (seen === undefined) throw new AppError('not_found');
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [seen.provider_id], patientIds: [] });
    const offer = await lockMoveOffer(tx, moveOfferId, act.now);
    if (offer?.state === 'DECLINED') return offer;
    if (offer?.live !== true) throw new AppError('move_offer_closed');

    await closeMoveOffer(tx, moveOfferId, 'DECLINED');
    await giveBackHold(tx, act, offer.hold_id);
    const item = await findItem(tx, itemOf(offer));
    await changeItem(tx, itemOf(offer), { state: 'PENDING', stepIndex: (item?.step_index ?? 0) + 1 });
    return answered(tx, act, offer, 'declined');
  });
}

function itemOf(offer: MoveOfferRow) {
  return { sickDayId: offer.sick_day_id, appointmentId: offer.appointment_id };
}

async function answered(tx: Tx, act: Act, offer: MoveOfferRow, action: string): Promise<MoveOfferRow> {
  await enqueue(tx, act, { aggregate: 'sick_day', aggregateId: offer.sick_day_id, event: 'answered' });
  await audit(tx, act, 'move_offer', offer.move_offer_id, action, {
    appointmentId: offer.appointment_id,
    step: offer.step,
  });
  const after = await findMoveOffer(tx, offer.move_offer_id);
  if (after === undefined) throw new AppError('not_found');
  return after;
}
