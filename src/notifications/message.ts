import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';

/** The AMQP body of one notification: ids and instants only; the notifier reads the row. Unknown schema versions go to the dead-letter queue. */
export const NotificationMessage = Type.Object(
  {
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
  },
  { additionalProperties: false },
);
export type NotificationMessage = Static<typeof NotificationMessage>;

/** Reads a body. Undefined for anything that is not a message of a schema version we know. */
export function readNotificationMessage(content: Buffer): NotificationMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
  return Value.Check(NotificationMessage, message) && !Number.isNaN(Date.parse(message.now)) ? message : undefined;
}
