import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Channel } from '../domain/notification.ts';

/** The AMQP body of one notification: ids and instants only; the notifier reads the row. Fields of a newer release are passed over. */
export const NotificationMessage = Type.Object({
  schemaVersion: Type.Literal(1),
  notificationId: Type.String(),
  clinicId: Type.String(),
  appointmentId: Type.String(),
  channel: Type.Union([Type.Literal('sms'), Type.Literal('email')]),
  /** ISO instant at which the publisher believed it was: the notifier's now is the later of its clock and this. */
  now: Type.String(),
  /** Our own count of what the message went through; broker counters differ between versions. 1 at first. */
  attempt: Type.Integer({ minimum: 1 }),
  /** How many of these ended in an error of our own. None at first. */
  errors: Type.Optional(Type.Integer({ minimum: 0 })),
  requestId: Type.Optional(Type.String()),
});
export type NotificationMessage = Static<typeof NotificationMessage>;

/** The first message about a notification. @param now - the publisher's */
export function messageOf(
  notification: {
    readonly notificationId: string;
    readonly clinicId: string;
    readonly appointmentId: string;
    readonly channel: Channel;
    readonly requestId?: string | undefined;
  },
  now: Date,
): NotificationMessage {
  const { notificationId, clinicId, appointmentId, channel, requestId } = notification;
  return {
    schemaVersion: 1,
    notificationId,
    clinicId,
    appointmentId,
    channel,
    now: now.toISOString(),
    attempt: 1,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/**
 * What an AMQP body is. `unknown`: an object that this release cannot read and a newer one, which may be running beside it already, may well.
 * `unreadable`: nothing that any release has written.
 */
export type ReadMessage =
  | { readonly is: 'message'; readonly message: NotificationMessage }
  | { readonly is: 'unknown'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly is: 'unreadable' };

/** Reads a body as it came, with what it holds besides what we know: a message that comes again is passed on with it. */
export function readNotificationMessage(content: Buffer): ReadMessage {
  let body: unknown;
  try {
    body = JSON.parse(content.toString('utf8'));
  } catch {
    return { is: 'unreadable' };
  }
  if (Value.Check(NotificationMessage, body) && !Number.isNaN(Date.parse(body.now)))
    return { is: 'message', message: body };
  return typeof body === 'object' && body !== null && !Array.isArray(body)
    ? { is: 'unknown', body: body as Readonly<Record<string, unknown>> }
    : { is: 'unreadable' };
}
