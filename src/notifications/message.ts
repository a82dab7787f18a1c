import { Type, type Static } from 'typebox';

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
    requestId: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type NotificationMessage = Static<typeof NotificationMessage>;
