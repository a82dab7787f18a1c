import type { Tx } from '../../db/connection.ts';
import type { OfferRow } from '../../db/offers.ts';
import { enqueue } from '../../db/outbox.ts';
import { changeItem, findItem, type SickDayItemRef } from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';
import type { Act } from '../act.ts';

/** What an answer to its offer means to a sick day: an accepted one ends the item, a declined one gives it its next turn. */
export const sickDayOffers = {
  async accepted(tx: Tx, act: Act, offer: OfferRow): Promise<void> {
    const ref = itemOf(offer);
    await changeItem(tx, ref, { state: 'MOVED', reason: offer.step });
    await enqueue(tx, act, { aggregate: 'sick_day', aggregateId: ref.sickDayId, event: 'answered' });
  },

  async declined(tx: Tx, act: Act, offer: OfferRow): Promise<void> {
    const ref = itemOf(offer);
    const item = await findItem(tx, ref);
    await changeItem(tx, ref, { state: 'PENDING', stepIndex: (item?.step_index ?? 0) + 1 });
    await enqueue(tx, act, { aggregate: 'sick_day', aggregateId: ref.sickDayId, event: 'answered' });
  },
};

function itemOf(offer: OfferRow): SickDayItemRef {
  if (offer.sick_day_id === null) throw new AppError('internal_error');
  return { sickDayId: offer.sick_day_id, appointmentId: offer.appointment_id };
}
