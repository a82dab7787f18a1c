import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import { clinicFor, namedClinic, rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import { idempotencyOf } from '../idempotency.ts';
import { ReplayOneBody, ReplayStarted } from '../notification-replays/schemas.ts';
import type { Doors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { replyWithReplay } from '../notification-replays/routes.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import type { NotificationFilter } from './queries.ts';
import {
  notificationBody,
  NotificationDetail,
  notificationDetailBody,
  NotificationPage,
  NotificationPath,
  NotificationQuery,
  NotificationSearch,
  NotificationsFound,
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
        description: "A clinic's messages, newest first. By phone number or email address: searchNotifications.",
        querystring: NotificationQuery,
        response: { 200: NotificationPage },
      },
    },
    async (request) => {
      const { clinicId, ...filter } = request.query;
      return pageFor(request, namedClinic(callerOf(request), clinicId, 'query'), filter);
    },
  );

  app.post(
    '/notifications/search',
    {
      config: { operation: 'readNotifications', problems: ['not_found'] },
      schema: {
        operationId: 'searchNotifications',
        tags: ['notifications'],
        summary: 'Find notifications',
        description:
          'As the list, by phone number or email address too, and with how many failed for which reason. It writes nothing.',
        body: NotificationSearch,
        response: { 200: NotificationsFound },
      },
    },
    async (request) => {
      const { clinicId, ...filter } = request.body;
      const where = namedClinic(callerOf(request), clinicId, 'body');
      const reasons = await reads.notificationReasons({ clinicId: where }, filter);
      return { ...(await pageFor(request, where, filter, 'body')), reasons };
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

  async function pageFor(
    request: Parameters<typeof callerOf>[0],
    clinicId: string,
    filter: NotificationFilter & { readonly limit?: number | undefined; readonly cursor?: string | undefined },
    part: 'query' | 'body' = 'query',
  ) {
    const { limit = 25, cursor } = filter;
    const before = positionOf(cursor, part);
    const rows = await reads.notifications({ clinicId }, readerOf(request), { ...filter, limit, before });
    const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.notification_id }));
    return { notifications: page.map(notificationBody), ...next };
  }
};
