import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import { joinWaitlist, leaveWaitlist } from '../../scheduling/waitlist/entries.ts';
import type { Caller } from '../authentication.ts';
import { assertOwnPatient, namedClinic, rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf, clinicOfProvider } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders, Nothing } from '../schemas.ts';
import { entryBody, EntryPage, EntryPath, EntryQuery, JoinedAnswer, WaitlistEntry, WishBody } from './schemas.ts';

/** The doors behind these routes. */
export const waitlistDoors = { joinWaitlist, leaveWaitlist };

export interface WaitlistRoutes {
  readonly doors: BoundDoors<typeof waitlistDoors>;
  readonly reads: Reads;
  readonly now: () => Date;
}

/** Waiting for a slot that somebody gives back. */
export const waitlistRoutes: FastifyPluginCallbackTypebox<WaitlistRoutes> = (app, { doors, reads, now }, done) => {
  app.post(
    '/waitlist-entries',
    {
      config: {
        operation: 'joinWaitlist',
        problems: ['not_found', 'already_waiting', 'in_the_past', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'joinWaitlist',
        tags: ['waitlist'],
        summary: 'Join the waitlist',
        description:
          'For a provider, or for anybody of a specialty at a clinic. When a slot is freed that fits, the best waiting patient is booked and told.',
        headers: IdempotencyHeaders,
        body: WishBody,
        response: {
          201: JoinedAnswer,
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { patientId, providerId, specialty, clinicId, durationMinutes, earliestDate, latestDate, priority } =
        request.body;
      if ((providerId === undefined) === (specialty === undefined)) throw invalidField('body', '/providerId', 'oneOf');
      if (latestDate < earliestDate) throw invalidField('body', '/latestDate', 'minimum');
      if (priority !== undefined && caller.role === 'patient') throw new AppError('forbidden');
      assertOwnPatient(caller, patientId);
      const where = await clinicAsked(caller, providerId, clinicId);
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, 'POST /api/v1/waitlist-entries', {
        ...request.body,
        clinicId: where,
      });
      const entry = await doors.joinWaitlist(
        actIn(request, where, now()),
        {
          patientId,
          durationMinutes,
          earliestDate,
          latestDate,
          registersPatient: caller.role === 'patient',
          providerId,
          specialty,
          priority,
        },
        idempotency,
      );
      return created(reply, { at: `/waitlist-entries/${entry.entry_id}`, replayed: entry.replayed }, entryBody(entry));
    },
  );

  app.get(
    '/waitlist-entries',
    {
      config: { operation: 'listWaitlist' },
      schema: {
        operationId: 'listWaitlistEntries',
        tags: ['waitlist'],
        summary: 'List waitlist entries',
        description: "A patient's own at every clinic; for staff their clinic's. Longest waiting first.",
        querystring: EntryQuery,
        response: { 200: EntryPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { status, providerId, patientId, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.waitlistEntries(rowsOf(caller), readerOf(request), {
        limit,
        status,
        providerId,
        patientId,
        afterId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.entry_id }));
      return { waitlistEntries: page.map(entryBody), ...next };
    },
  );

  app.get(
    '/waitlist-entries/:entryId',
    {
      config: { operation: 'listWaitlist', problems: ['not_found'] },
      schema: {
        operationId: 'readWaitlistEntry',
        tags: ['waitlist'],
        summary: 'Read a waitlist entry',
        params: EntryPath,
        response: { 200: WaitlistEntry },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const row = await reads.waitlistEntry(rowsOf(caller), request.params.entryId, readerOf(request));
      if (row === undefined) throw new AppError('not_found');
      return entryBody(row);
    },
  );

  app.delete(
    '/waitlist-entries/:entryId',
    {
      config: { operation: 'leaveWaitlist', problems: ['not_found'] },
      schema: {
        operationId: 'leaveWaitlist',
        tags: ['waitlist'],
        summary: 'Leave the waitlist',
        description: 'Repeating it changes nothing.',
        params: EntryPath,
        response: {
          204: Nothing('No longer on the waitlist.'),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const entry = await reads.waitlistEntry(rowsOf(caller), request.params.entryId);
      if (entry === undefined) throw new AppError('not_found');
      await doors.leaveWaitlist(actIn(request, entry.clinic_id, now()), { entryId: entry.entry_id });
      return reply.code(204).send(null);
    },
  );

  done();

  /** A provider's clinic; for a specialty the one that is named. */
  async function clinicAsked(
    caller: Caller,
    providerId: string | undefined,
    clinicId: string | undefined,
  ): Promise<string> {
    if (providerId === undefined) return namedClinic(caller, clinicId, 'body');
    const ofProvider = await clinicOfProvider(caller, reads, providerId);
    if (clinicId !== undefined && clinicId !== ofProvider) throw new AppError('not_found');
    return ofProvider;
  }
};
