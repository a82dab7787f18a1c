import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { MoveOfferRow } from '../../db/sick-days.ts';
import { AppError, SLOT_REFUSALS } from '../../domain/errors.ts';
import { acceptMoveOffer, declineMoveOffer } from '../../scheduling/sick-day/move-offer.ts';
import { rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { MoveOffer, moveOfferBody, MoveOfferPage, MoveOfferPath, MoveOfferQuery } from './schemas.ts';

/** The doors behind these routes. */
export const moveOfferDoors = { acceptMoveOffer, declineMoveOffer };

export interface MoveOfferRoutes {
  readonly doors: BoundDoors<typeof moveOfferDoors>;
  readonly reads: Pick<Reads, 'moveOffer' | 'moveOffers'>;
  readonly now: () => Date;
}

/** Another time for a visit that cannot take place. */
export const moveOfferRoutes: FastifyPluginCallbackTypebox<MoveOfferRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/move-offers',
    {
      config: { operation: 'listMoveOffers' },
      schema: {
        operationId: 'listMoveOffers',
        tags: ['sick-days'],
        summary: 'List move offers',
        description: "A patient's own at every clinic; for staff their clinic's. Newest first.",
        querystring: MoveOfferQuery,
        response: { 200: MoveOfferPage },
      },
    },
    async (request) => {
      const { state, appointmentId, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.moveOffers(rowsOf(callerOf(request)), readerOf(request), {
        limit,
        state,
        appointmentId,
        beforeId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.move_offer_id }));
      return { moveOffers: page.map((row) => moveOfferBody(row, now())), ...next };
    },
  );

  app.get(
    '/move-offers/:moveOfferId',
    {
      config: { operation: 'readMoveOffer', problems: ['not_found'] },
      schema: {
        operationId: 'readMoveOffer',
        tags: ['sick-days'],
        summary: 'Read a move offer',
        params: MoveOfferPath,
        response: { 200: MoveOffer },
      },
    },
    async (request) => moveOfferBody(await visible(request, request.params.moveOfferId), now()),
  );

  app.post(
    '/move-offers/:moveOfferId/accept',
    {
      config: {
        operation: 'answerMoveOffer',
        problems: ['not_found', 'move_offer_closed', 'patient_busy', 'hold_gone', ...SLOT_REFUSALS],
      },
      schema: {
        operationId: 'acceptMoveOffer',
        tags: ['sick-days'],
        summary: 'Accept a move offer',
        description:
          'The visit is moved to the time that is held for it. The first answer counts; repeating it changes nothing.',
        params: MoveOfferPath,
        response: { 200: MoveOffer },
      },
    },
    async (request) => {
      const { clinic_id: clinicId, move_offer_id: moveOfferId } = await visible(request, request.params.moveOfferId);
      return moveOfferBody(await doors.acceptMoveOffer(actIn(request, clinicId, now()), { moveOfferId }), now());
    },
  );

  app.post(
    '/move-offers/:moveOfferId/decline',
    {
      config: { operation: 'answerMoveOffer', problems: ['not_found', 'move_offer_closed'] },
      schema: {
        operationId: 'declineMoveOffer',
        tags: ['sick-days'],
        summary: 'Decline a move offer',
        description:
          'The time is given back, and the clinic looks for another way. The first answer counts; repeating it changes nothing.',
        params: MoveOfferPath,
        response: { 200: MoveOffer },
      },
    },
    async (request) => {
      const { clinic_id: clinicId, move_offer_id: moveOfferId } = await visible(request, request.params.moveOfferId);
      return moveOfferBody(await doors.declineMoveOffer(actIn(request, clinicId, now()), { moveOfferId }), now());
    },
  );

  done();

  /** The offer if it is this patient's, or one of the caller's clinic. @throws AppError `not_found` */
  async function visible(request: FastifyRequest, moveOfferId: string): Promise<MoveOfferRow> {
    const offer = await reads.moveOffer(rowsOf(callerOf(request)), moveOfferId, readerOf(request));
    if (offer === undefined) throw new AppError('not_found');
    return offer;
  }
};
