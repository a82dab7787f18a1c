import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { HoldRow } from '../../db/holds.ts';
import { AppError, SLOT_REFUSALS } from '../../domain/errors.ts';
import { placeHold, extendHold, releaseHold } from '../../scheduling/claims/hold.ts';
import type { Caller } from '../authentication.ts';
import { clinicFor } from '../authorization.ts';
import { actIn, callerOf, clinicOfProvider } from '../caller.ts';
import type { BoundDoors } from '../doors.ts';
import { idempotencyOf } from '../idempotency.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders, Nothing } from '../schemas.ts';
import { Hold, HoldBody, holdBody, HoldPath, PlacedAnswer } from './schemas.ts';

/** The doors behind these routes. */
export const holdDoors = { placeHold, extendHold, releaseHold };

export interface HoldRoutes {
  readonly doors: BoundDoors<typeof holdDoors>;
  readonly reads: Pick<Reads, 'clinicOfProvider' | 'clinicOfHold' | 'hold'>;
  readonly now: () => Date;
}

/** Keeping a slot for somebody who is about to book it. */
export const holdRoutes: FastifyPluginCallbackTypebox<HoldRoutes> = (app, { doors, reads, now }, done) => {
  app.post(
    '/holds',
    {
      config: {
        operation: 'placeHold',
        problems: ['not_found', ...SLOT_REFUSALS, 'too_many_holds', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'placeHold',
        tags: ['holds'],
        summary: 'Hold a slot',
        description:
          'Keeps a slot for the caller while they fill in the rest, for as long as the clinic’s policy says (five minutes unless it says otherwise). Send its id as holdId to book it. A caller holds at most five slots.',
        headers: IdempotencyHeaders,
        body: HoldBody,
        response: { 201: PlacedAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { providerId, durationMinutes } = request.body;
      const slotStart = new Date(request.body.startTime);
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, 'POST /api/v1/holds', {
        ...request.body,
        startTime: slotStart.toISOString(),
      });
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      const { hold, replayed } = await doors.placeHold(
        actIn(request, clinicId, now()),
        { providerId, slotStart, durationMinutes, heldBy: caller.subject },
        idempotency,
      );
      return created(reply, { at: `/holds/${hold.hold_id}`, replayed }, holdBody(hold));
    },
  );

  app.get(
    '/holds/:holdId',
    {
      config: { operation: 'readHold', problems: ['not_found'] },
      schema: {
        operationId: 'readHold',
        tags: ['holds'],
        summary: 'Read a hold',
        description: 'The caller’s own; for administrators any of their clinic.',
        params: HoldPath,
        response: { 200: Hold },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      return holdBody(await visible(caller, request.params.holdId));
    },
  );

  app.post(
    '/holds/:holdId/extension',
    {
      config: { operation: 'extendHold', problems: ['not_found', 'hold_gone', 'hold_already_extended'] },
      schema: {
        operationId: 'extendHold',
        tags: ['holds'],
        summary: 'Extend a hold',
        description: 'Once: it then lasts as long again as the clinic’s policy says, counted from its end.',
        params: HoldPath,
        response: { 200: Hold },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { hold_id: holdId, clinic_id: clinicId } = await visible(caller, request.params.holdId);
      return holdBody(await doors.extendHold(actIn(request, clinicId, now()), { holdId }));
    },
  );

  app.delete(
    '/holds/:holdId',
    {
      config: { operation: 'releaseHold', problems: ['not_found'] },
      schema: {
        operationId: 'releaseHold',
        tags: ['holds'],
        summary: 'Release a hold',
        description:
          'Call it when the booking is abandoned: the slot is everybody’s again. Repeating it changes nothing.',
        params: HoldPath,
        response: { 204: Nothing('No longer held.') },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { hold_id: holdId, clinic_id: clinicId } = await visible(caller, request.params.holdId);
      await doors.releaseHold(actIn(request, clinicId, now()), { holdId });
      return reply.code(204).send(null);
    },
  );

  done();

  /** The hold if it is this caller's, or one of their clinic for an administrator. @throws AppError `not_found` */
  async function visible(caller: Caller, holdId: string): Promise<HoldRow> {
    const clinicId = clinicFor(caller, await reads.clinicOfHold(holdId));
    const hold = await reads.hold({ clinicId }, holdId);
    if (hold === undefined || (caller.role === 'patient' && hold.held_by !== caller.subject)) {
      throw new AppError('not_found');
    }
    return hold;
  }
};
