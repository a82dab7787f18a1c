import { Type, type Static } from 'typebox';
import { CHANNELS, NOTIFICATION_STATES } from '../../domain/notification.ts';
import type { NotificationRow } from '../../notifications/ledger/rows.ts';
import {
  Email,
  Instant,
  instantText,
  instantTextOrNull,
  NextCursor,
  Nullable,
  PAGE_QUERY,
  Phone,
  PlainText,
  Strict,
  Uuid,
} from '../schemas.ts';
import type { NotificationWithAttempts } from './queries.ts';

export const NotificationPath = Strict({ notificationId: Uuid('The message.') });

const FILTER = {
  clinicId: Type.Optional(Uuid('The clinic; needed when the token names none.')),
  state: Type.Optional(Type.Enum([...NOTIFICATION_STATES])),
  appointmentId: Type.Optional(Uuid('Only the messages about this appointment.')),
  patientId: Type.Optional(Uuid('Only the messages to this patient.')),
  channel: Type.Optional(Type.Enum([...CHANNELS])),
  kind: Type.Optional(PlainText(40, 'Only messages of this kind.')),
  reason: Type.Optional(PlainText(100, 'Only those that failed or were skipped for this reason.')),
  from: Type.Optional(Instant('Only those planned at this instant or later.')),
  to: Type.Optional(Instant('Only those planned before this instant.')),
};

export const NotificationQuery = Strict({ ...FILTER, ...PAGE_QUERY });

/** As a body, so that no phone number and no email address stands in an address that proxies and browsers keep. */
export const NotificationSearch = Strict({
  ...FILTER,
  phone: Type.Optional(Type.String({ ...Phone, description: 'Only the messages to patients with this number.' })),
  email: Type.Optional(
    Type.String({
      ...Email,
      description: 'Only those to patients with this address, in capitals or not.',
    }),
  ),
  ...PAGE_QUERY,
});

export const Notification = Type.Object({
  notificationId: Uuid('The message.'),
  clinicId: Uuid('Whose message it is.'),
  appointmentId: Uuid('What it is about.'),
  patientId: Uuid('Whom it is to.'),
  kind: Type.String({ examples: ['reminder:P1D'] }),
  channel: Type.Enum([...CHANNELS]),
  state: Type.Enum([...NOTIFICATION_STATES]),
  appointmentVersion: Type.Integer({ description: 'The version of the appointment that it tells of.' }),
  plannedFor: Instant('The start of the visit that it speaks of.'),
  dueAt: Instant('When it was due.'),
  attempt: Type.Integer({ description: 'How many times it was handed to the provider.' }),
  reason: Nullable(Type.String({ description: 'Why it failed or was skipped.' })),
  createdAt: Instant('When it was planned.'),
  acceptedAt: Nullable(Instant('When the provider took it.')),
  settledAt: Nullable(Instant('When it was delivered, or failed for good.')),
});

export const NotificationPage = Type.Object({ notifications: Type.Array(Notification), nextCursor: NextCursor });

export const NotificationsFound = Type.Object({
  ...NotificationPage.properties,
  reasons: Type.Array(
    Type.Object({
      state: Type.Enum([...NOTIFICATION_STATES]),
      reason: Nullable(Type.String()),
      count: Type.Integer({ minimum: 1 }),
    }),
    { description: 'Why messages among all that were found failed or were not sent, the commonest reason first.' },
  ),
});

export const NotificationDetail = Type.Object({
  ...Notification.properties,
  attempts: Type.Array(
    Type.Object({
      attempt: Type.Integer(),
      startedAt: Instant('When the provider was called.'),
      finishedAt: Nullable(Instant('When it answered.')),
      outcome: Nullable(Type.String()),
      errorCode: Nullable(Type.String({ description: "The provider's code." })),
      providerMessageId: Nullable(Type.String()),
    }),
  ),
});

export function notificationBody(row: NotificationRow): Static<typeof Notification> {
  return {
    notificationId: row.notification_id,
    clinicId: row.clinic_id,
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    kind: row.kind,
    channel: row.channel,
    state: row.state,
    appointmentVersion: row.appointment_version,
    plannedFor: instantText(row.planned_for),
    dueAt: instantText(row.due_at),
    attempt: row.attempt,
    reason: row.reason,
    createdAt: instantText(row.created_at),
    acceptedAt: instantTextOrNull(row.accepted_at),
    settledAt: instantTextOrNull(row.settled_at),
  };
}

export function notificationDetailBody({
  notification,
  attempts,
}: NotificationWithAttempts): Static<typeof NotificationDetail> {
  return {
    ...notificationBody(notification),
    attempts: attempts.map((each) => ({
      attempt: each.attempt,
      startedAt: instantText(each.started_at),
      finishedAt: instantTextOrNull(each.finished_at),
      outcome: each.outcome,
      errorCode: each.error_code,
      providerMessageId: each.provider_message_id,
    })),
  };
}
