import type { Tx } from '../../db/connection.ts';
import { findMoveOffer, type MoveOfferRow } from '../../db/sick-days.ts';
import { list, one } from '../read.ts';

/** The offers that the context sees, newest first (their ids grow with time); one row more than `limit` when there is a next page. */
function moveOffersWhere(
  tx: Tx,
  filter: {
    readonly state?: MoveOfferRow['state'] | undefined;
    readonly appointmentId?: string | undefined;
    readonly beforeId?: string | undefined;
    readonly limit: number;
  },
): Promise<MoveOfferRow[]> {
  let query = tx
    .selectFrom('move_offer')
    .selectAll()
    .orderBy('move_offer_id', 'desc')
    .limit(filter.limit + 1);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.appointmentId !== undefined) query = query.where('appointment_id', '=', filter.appointmentId);
  if (filter.beforeId !== undefined) query = query.where('move_offer_id', '<', filter.beforeId);
  return query.execute();
}

export const moveOfferReads = {
  moveOffer: one('move_offer', findMoveOffer),
  moveOffers: list('move_offers', moveOffersWhere),
};
