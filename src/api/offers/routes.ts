import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { OfferRow } from '../../db/offers.ts';
import { AppError, SLOT_REFUSALS } from '../../domain/errors.ts';
import { acceptOffer, declineOffer } from '../../scheduling/claims/answer-offer.ts';
import { rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { Offer, offerBody, OfferPage, OfferPath, OfferQuery } from './schemas.ts';

/** The doors behind these routes. */
export const offerDoors = { acceptOffer, declineOffer };

export interface OfferRoutes {
  readonly doors: BoundDoors<typeof offerDoors>;
  readonly reads: Pick<Reads, 'offer' | 'offers'>;
  readonly now: () => Date;
}

/** Another time for a visit that cannot take place. */
export const offerRoutes: FastifyPluginCallbackTypebox<OfferRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/offers',
    {
      config: { operation: 'listOffers' },
      schema: {
        operationId: 'listOffers',
        tags: ['offers'],
        summary: 'List offers',
        description: "A patient's own at every clinic; for staff their clinic's. Newest first.",
        querystring: OfferQuery,
        response: { 200: OfferPage },
      },
    },
    async (request) => {
      const { state, appointmentId, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.offers(rowsOf(callerOf(request)), readerOf(request), {
        limit,
        state,
        appointmentId,
        beforeId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.offer_id }));
      return { offers: page.map((row) => offerBody(row, now())), ...next };
    },
  );

  app.get(
    '/offers/:offerId',
    {
      config: { operation: 'readOffer', problems: ['not_found'] },
      schema: {
        operationId: 'readOffer',
        tags: ['offers'],
        summary: 'Read an offer',
        params: OfferPath,
        response: { 200: Offer },
      },
    },
    async (request) => offerBody(await visible(request, request.params.offerId), now()),
  );

  app.post(
    '/offers/:offerId/accept',
    {
      config: {
        operation: 'answerOffer',
        problems: ['not_found', 'offer_closed', 'patient_busy', 'hold_gone', ...SLOT_REFUSALS],
      },
      schema: {
        operationId: 'acceptOffer',
        tags: ['offers'],
        summary: 'Accept an offer',
        description:
          'The visit is moved to the time that is held for it. The first answer counts; repeating it changes nothing.',
        params: OfferPath,
        response: { 200: Offer },
      },
    },
    async (request) => {
      const { clinic_id: clinicId, offer_id: offerId } = await visible(request, request.params.offerId);
      return offerBody(await doors.acceptOffer(actIn(request, clinicId, now()), { offerId }), now());
    },
  );

  app.post(
    '/offers/:offerId/decline',
    {
      config: { operation: 'answerOffer', problems: ['not_found', 'offer_closed'] },
      schema: {
        operationId: 'declineOffer',
        tags: ['offers'],
        summary: 'Decline an offer',
        description:
          'The time is given back, and the clinic looks for another way. The first answer counts; repeating it changes nothing.',
        params: OfferPath,
        response: { 200: Offer },
      },
    },
    async (request) => {
      const { clinic_id: clinicId, offer_id: offerId } = await visible(request, request.params.offerId);
      return offerBody(await doors.declineOffer(actIn(request, clinicId, now()), { offerId }), now());
    },
  );

  done();

  /** The offer if it is this patient's, or one of the caller's clinic. @throws AppError `not_found` */
  async function visible(request: FastifyRequest, offerId: string): Promise<OfferRow> {
    const offer = await reads.offer(rowsOf(callerOf(request)), offerId, readerOf(request));
    if (offer === undefined) throw new AppError('not_found');
    return offer;
  }
};
