import type { Selectable } from 'kysely';
import type { Tx } from '../../db/connection.ts';
import type { Database } from '../../db/schema.ts';
import type { Channel, NotificationKind, NotificationState } from '../../domain/notification.ts';
import { change } from './change.ts';

/*
 * What is planned: one row a message. What becomes of it: `claim.ts` gives it out to be sent, `attempts.ts` writes how that went, `reports.ts` takes in
 * what the provider tells later, `requeue.ts` makes it due again. All of them change its state in one place, `change.ts`, which says who is told.
 */

export type NotificationRow = Selectable<Database['notification']>;

/** What the workflow plans. */
export interface PlannedNotification {
  readonly notificationId: string;
  readonly clinicId: string;
  readonly appointmentId: string;
  readonly patientId: string;
  readonly kind: NotificationKind;
  readonly channel: Channel;
  /** The visit's start of which the message speaks. */
  readonly plannedFor: Date;
  readonly appointmentVersion: number;
  readonly dueAt: Date;
  readonly requestId?: string | undefined;
  /** What it offers, where it offers something. */
  readonly offerId?: string;
}

/** Everything the ledger holds about one appointment, in the order in which it was due. */
export function notificationsOf(tx: Tx, appointmentId: string): Promise<NotificationRow[]> {
  return tx
    .selectFrom('notification')
    .selectAll()
    .where('appointment_id', '=', appointmentId)
    .orderBy('due_at')
    .orderBy('created_at')
    .execute();
}

/** Writes the row in state PLANNED unless it is there already. Returns the state it is in: only what is PLANNED is to be published. */
export async function planNotification(tx: Tx, notification: PlannedNotification): Promise<NotificationState> {
  const inserted = await tx
    .insertInto('notification')
    .values({ ...columns(notification), state: 'PLANNED' })
    .onConflict((conflict) => conflict.column('notification_id').doNothing())
    .returning('state')
    .executeTakeFirst();
  return inserted?.state ?? stateOf(tx, notification.notificationId);
}

/** The broker has confirmed the message. The notifier may have been faster: then nothing changes. */
export async function markQueued(tx: Tx, notificationId: string): Promise<void> {
  await change(tx, { notificationId, to: 'QUEUED', from: ['PLANNED'] });
}

/**
 * The plan has decided that a notification is not sent, and why, so that nobody plans it again. What is under way or done stays as it is.
 * Returns the state it is in.
 */
export async function skipNotification(
  tx: Tx,
  notification: PlannedNotification & { readonly reason: string },
): Promise<NotificationState> {
  await planNotification(tx, notification);
  await change(tx, {
    notificationId: notification.notificationId,
    to: 'SKIPPED',
    from: ['PLANNED', 'QUEUED', 'RETRY'],
    reason: notification.reason,
    byPlan: true,
  });
  return stateOf(tx, notification.notificationId);
}

function columns(notification: PlannedNotification) {
  return {
    notification_id: notification.notificationId,
    clinic_id: notification.clinicId,
    appointment_id: notification.appointmentId,
    patient_id: notification.patientId,
    kind: notification.kind,
    offer_id: notification.offerId ?? null,
    channel: notification.channel,
    planned_for: notification.plannedFor,
    appointment_version: notification.appointmentVersion,
    due_at: notification.dueAt,
    request_id: notification.requestId ?? null,
  };
}

async function stateOf(tx: Tx, notificationId: string): Promise<NotificationState> {
  const { state } = await tx
    .selectFrom('notification')
    .select('state')
    .where('notification_id', '=', notificationId)
    .executeTakeFirstOrThrow();
  return state;
}
