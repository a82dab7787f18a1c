import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { requestReplay, pauseReplay, resumeReplay, stopReplay } from '../../scheduling/replays.ts';
import { clinicFor, namedClinic } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { idempotencyOf } from '../idempotency.ts';
import type { BoundDoors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { accepted } from '../replies.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import type { ReplayWithItems } from './queries.ts';
import { Replay, ReplayBody, replayBody, ReplayPath, ReplayQuery, ReplayStarted } from './schemas.ts';

/** The doors behind these routes. */
export const replayDoors = { requestReplay, pauseReplay, resumeReplay, stopReplay };

export interface ReplayRoutes {
  readonly reads: Reads;
  readonly doors: BoundDoors<typeof replayDoors>;
  readonly now: () => Date;
}

/** Sending failed messages again, many at once. */
export const replayRoutes: FastifyPluginCallbackTypebox<ReplayRoutes> = (app, { doors, reads, now }, done) => {
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
      return replyWithReplay(reply, await doors.requestReplay(actIn(request, clinicId, now()), replay, idempotency));
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
    async (request) =>
      replayBody(await found(request, namedClinic(callerOf(request), request.query.clinicId, 'query'))),
  );

  for (const { verb, summary, description, change } of [
    {
      verb: 'pause',
      summary: 'Pause a replay',
      description: 'Nothing more is queued; what is queued goes out. Repeating it changes nothing.',
      change: doors.pauseReplay,
    },
    {
      verb: 'resume',
      summary: 'Resume a replay',
      description: 'It goes on where it was. Repeating it changes nothing.',
      change: doors.resumeReplay,
    },
    {
      verb: 'stop',
      summary: 'Stop a replay',
      description: 'What has not had its turn stays as it is and says `stopped`. Repeating it changes nothing.',
      change: doors.stopReplay,
    },
  ] as const) {
    app.post(
      `/notification-replays/:replayId/${verb}`,
      {
        config: { operation: 'replayNotifications', problems: ['not_found', 'replay_ended'] },
        schema: {
          operationId: `${verb}Replay`,
          tags: ['notifications'],
          summary,
          description,
          params: ReplayPath,
          querystring: ReplayQuery,
          response: { 200: Replay },
        },
      },
      async (request) => {
        const clinicId = namedClinic(callerOf(request), request.query.clinicId, 'query');
        await change(actIn(request, clinicId, now()), { replayId: request.params.replayId.toLowerCase() });
        return replayBody(await found(request, clinicId));
      },
    );
  }
  done();

  /** @throws AppError `not_found` */
  async function found(
    request: Parameters<typeof callerOf>[0] & { readonly params: { readonly replayId: string } },
    clinicId: string,
  ): Promise<ReplayWithItems> {
    const replay = await reads.replay({ clinicId }, request.params.replayId, readerOf(request));
    if (replay === undefined) throw new AppError('not_found');
    return replay;
  }
};

/** Accepted: where to look how it goes. */
export function replyWithReplay(
  reply: FastifyReply,
  { replayId, replayed }: { readonly replayId: string; readonly replayed: boolean },
) {
  return accepted(reply, { at: `/notification-replays/${replayId}`, replayed }, { replayId });
}
