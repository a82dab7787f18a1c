import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import { clinicFor, namedClinic, rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { idempotencyOf } from '../idempotency.ts';
import { ReplayOneBody, ReplayStarted } from '../notification-replays/schemas.ts';
import type { Doors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { replyWithReplay } from '../notification-replays/routes.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import {
  notificationBody,
  NotificationDetail,
  notificationDetailBody,
  NotificationPage,
  NotificationPath,
  NotificationQuery,
} from './schemas.ts';

export interface NotificationRoutes {
  readonly reads: Reads;
  readonly doors: Pick<Doors, 'requestReplay'>;
  readonly now: () => Date;
}

/** What was sent, what was not, and why. */
export const notificationRoutes: FastifyPluginCallbackTypebox<NotificationRoutes> = (
  app,
  { doors, reads, now },
  done,
) => {
  app.get(
    '/notifications',
    {
      config: { operation: 'readNotifications', problems: ['not_found'] },
      schema: {
        operationId: 'listNotifications',
        tags: ['notifications'],
        summary: 'List notifications',
        description: "A clinic's messages, newest first.",
        querystring: NotificationQuery,
        response: { 200: NotificationPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { clinicId, state, appointmentId, limit = 25, cursor } = request.query;
      const where = namedClinic(caller, clinicId, 'query');
      const { notifications, nextCursor } = await reads.notifications(where, readerOf(request), {
        limit,
        state,
        appointmentId,
        cursor,
      });
      return {
        notifications: notifications.map(notificationBody),
        ...(nextCursor === undefined ? {} : { nextCursor }),
      };
    },
  );

  app.get(
    '/notifications/:notificationId',
    {
      config: { operation: 'readNotifications', problems: ['not_found'] },
      schema: {
        operationId: 'readNotification',
        tags: ['notifications'],
        summary: 'Read a notification and its attempts',
        params: NotificationPath,
        response: { 200: NotificationDetail },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { notificationId } = request.params;
      const clinicId = clinicFor(caller, await reads.clinicOfNotification(notificationId));
      const found = await reads.notification(rowsOf(caller, clinicId), notificationId, readerOf(request));
      if (found === undefined) throw new AppError('not_found');
      return notificationDetailBody(found);
    },
  );

  app.post(
    '/notifications/:notificationId/replay',
    {
      config: {
        operation: 'replayNotifications',
        problems: ['not_found', 'notification_not_failed', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'replayNotification',
        tags: ['notifications'],
        summary: 'Send a failed notification again',
        description:
          'The same message, a new attempt. Something that has lost its point is not sent: the replay says so.',
        params: NotificationPath,
        headers: IdempotencyHeaders,
        body: ReplayOneBody,
        response: {
          202: ReplayStarted,
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { notificationId } = request.params;
      const reason = request.body?.reason;
      const replay = { notificationIds: [notificationId], reason };
      const idempotency = idempotencyOf(
        request.headers['idempotency-key'],
        caller,
        'POST /api/v1/notifications/replay',
        replay,
      );
      const clinicId = clinicFor(caller, await reads.clinicOfNotification(notificationId));
      return replyWithReplay(reply, await doors.requestReplay(actIn(request, clinicId, now()), replay, idempotency));
    },
  );
  done();
};
