import type { Tx } from '../../db/connection.ts';
import { findOffer, type OfferRow } from '../../db/offers.ts';
import { list, one } from '../read.ts';

/** The offers that the context sees, newest first (their ids grow with time); one row more than `limit` when there is a next page. */
function offersWhere(
  tx: Tx,
  filter: {
    readonly state?: OfferRow['state'] | undefined;
    readonly appointmentId?: string | undefined;
    readonly beforeId?: string | undefined;
    readonly limit: number;
  },
): Promise<OfferRow[]> {
  let query = tx
    .selectFrom('offer')
    .selectAll()
    .orderBy('offer_id', 'desc')
    .limit(filter.limit + 1);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.appointmentId !== undefined) query = query.where('appointment_id', '=', filter.appointmentId);
  if (filter.beforeId !== undefined) query = query.where('offer_id', '<', filter.beforeId);
  return query.execute();
}

export const offerReads = {
  offer: one('offer', findOffer),
  offers: list('offers', offersWhere),
};
