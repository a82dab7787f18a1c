import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { clinicFor, namedClinic } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { idempotencyOf, REPLAYED_HEADER } from '../idempotency.ts';
import type { Reads } from '../reads.ts';
import type { Requested, Requests } from '../requests.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import { Replay, ReplayBody, replayBody, ReplayPath, ReplayQuery, ReplayStarted } from './schemas.ts';

export interface ReplayRoutes {
  readonly reads: Reads;
  readonly requests: Pick<Requests, 'replay'>;
  readonly now: () => Date;
}

/** Sending failed messages again, many at once. */
export const replayRoutes: FastifyPluginCallbackTypebox<ReplayRoutes> = (app, { reads, requests, now }, done) => {
  app.post(
    '/notification-replays',
    {
      config: {
        operation: 'replayNotifications',
        problems: ['not_found', 'notification_not_failed', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'replayNotifications',
        tags: ['notifications'],
        summary: 'Send failed notifications again',
        description: 'All of one clinic. Each is sent if it failed and is still due; the replay tells how each fared.',
        headers: IdempotencyHeaders,
        body: ReplayBody,
        response: {
          202: ReplayStarted,
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { reason } = request.body;
      const notificationIds = request.body.notificationIds.map((id) => id.toLowerCase());
      const replay = { notificationIds, reason };
      const [first = ''] = notificationIds;
      const clinicId = clinicFor(caller, caller.clinicId ?? (await reads.clinicOfNotification(first)));
      const idempotency = idempotencyOf(
        request.headers['idempotency-key'],
        caller,
        'POST /api/v1/notification-replays',
        { clinicId, ...replay },
      );
      return replyWithReplay(reply, await requests.replay(actIn(request, clinicId, now()), replay, idempotency));
    },
  );

  app.get(
    '/notification-replays/:replayId',
    {
      config: { operation: 'readReplay', problems: ['not_found'] },
      schema: {
        operationId: 'readReplay',
        tags: ['notifications'],
        summary: 'How a replay is going',
        params: ReplayPath,
        querystring: ReplayQuery,
        response: { 200: Replay },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const clinicId = namedClinic(caller, request.query.clinicId, 'query');
      const found = await reads.replay(clinicId, request.params.replayId, readerOf(request));
      if (found === undefined) throw new AppError('not_found');
      return replayBody(found);
    },
  );
  done();
};

/** Accepted: where to look how it goes. */
export function replyWithReplay(reply: FastifyReply, { id, replayed }: Requested) {
  if (replayed) void reply.header(REPLAYED_HEADER, 'true');
  return reply.code(202).header('location', `/api/v1/notification-replays/${id}`).send({ replayId: id });
}
