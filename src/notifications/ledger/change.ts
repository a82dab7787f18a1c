import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { noteReminderSent } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { openCallTask } from '../../db/tasks.ts';
import { enqueue } from '../../db/outbox.ts';
import { notifySickDay } from '../../db/sick-days.ts';
import { isReminderKind, isSettled, type NotificationState } from '../../domain/notification.ts';
import { channelsOf, isRefusedByRecipient, rememberRefusal } from '../channels.ts';

export interface Change {
  readonly notificationId: string;
  readonly to: NotificationState;
  /** Nothing happens in any other state. */
  readonly from: readonly NotificationState[];
  /** Nothing happens when another attempt was begun since. */
  readonly attempt?: number;
  readonly reason?: string | undefined;
  readonly providerMessageId?: string | undefined;
  readonly settledAt?: Date | undefined;
  /** The plan itself decided so: it need not be told. */
  readonly byPlan?: boolean;
  /** It begins anew, on the same row: with a fresh count of attempts, and nothing known of it at the provider. */
  readonly anew?: boolean;
}

/**
 * Who learns of a change of state: the one whose plan it may change, and nobody else, for every word wakes a workflow. A visit's plan asks which
 * messages are still open: one that failed or was skipped may call for another, one that was accepted or arrived does not. A sick day waits for the
 * answer to its offer, which a patient whom the message did not reach cannot give.
 */
const TOLD: Readonly<
  Partial<
    Record<
      NotificationState,
      { readonly visit: boolean; readonly sickDay: boolean; readonly after?: NotificationState }
    >
  >
> = {
  FAILED: { visit: true, sickDay: true },
  SKIPPED: { visit: true, sickDay: false },
  // What was taken for failed is on its way again, or has arrived after all.
  QUEUED: { visit: true, sickDay: false, after: 'FAILED' },
  DELIVERED: { visit: true, sickDay: false, after: 'FAILED' },
};

const NOTHING_KNOWN = { provider_message_id: null, accepted_at: null, settled_at: null };

/** The one statement that changes a state; whoever needs to know is told in the same transaction. Returns whether it changed. */
export async function change(tx: Tx, wanted: Change): Promise<boolean> {
  const { notificationId, to, from, attempt, settledAt } = wanted;
  let update = tx
    .updateTable('notification as n')
    .from((eb) =>
      eb
        .selectFrom('notification')
        .select(['notification_id', 'state'])
        .where('notification_id', '=', notificationId)
        .forUpdate()
        .as('before'),
    )
    .set({
      state: to,
      reason: wanted.reason ?? null,
      sending_until: null,
      updated_at: sql`now()`,
      ...(wanted.providerMessageId === undefined ? {} : { provider_message_id: wanted.providerMessageId }),
      ...(to === 'ACCEPTED' || to === 'DELIVERED' ? { accepted_at: sql<Date>`coalesce(n.accepted_at, now())` } : {}),
      ...(wanted.anew === true ? { first_attempt: sql`n.attempt + 1`, ...NOTHING_KNOWN } : {}),
      ...(isSettled(to) ? { settled_at: settledAt ?? sql<Date>`now()` } : {}),
    })
    .whereRef('n.notification_id', '=', 'before.notification_id')
    .where('before.state', 'in', [...from])
    .returning([
      'n.clinic_id',
      'n.appointment_id',
      'n.patient_id',
      'n.request_id',
      'n.kind',
      'n.planned_for',
      'n.due_at',
      'before.state as state_before',
    ]);
  if (attempt !== undefined) update = update.where('n.attempt', '=', attempt);
  const row = await update.executeTakeFirst();
  if (row === undefined) return false;

  if (to === 'FAILED' && wanted.reason !== undefined && isRefusedByRecipient(wanted.reason)) {
    await rememberRefusal(tx, notificationId, wanted.reason);
    await callWhereNothingIsLeft(tx, row);
  }
  const isSent = to === 'ACCEPTED' || to === 'DELIVERED';
  if (isSent && isReminderKind(row.kind)) {
    await noteReminderSent(tx, { appointmentId: row.appointment_id, plannedFor: row.planned_for, dueAt: row.due_at });
  }
  const told = TOLD[to];
  if (told === undefined || wanted.byPlan === true) return true;
  if (told.after !== undefined && told.after !== row.state_before) return true;
  const isOffer = row.kind === 'move_offer';
  const requestId = row.request_id ?? undefined;
  if (isOffer && told.sickDay) await notifySickDay(tx, row.appointment_id, 'notificationSettled', requestId);
  if (!isOffer && told.visit) {
    const act = { clinicId: row.clinic_id, requestId };
    await enqueue(tx, act, {
      aggregate: 'appointment',
      aggregateId: row.appointment_id,
      event: 'notificationSettled',
    });
  }
  return true;
}

/** Nobody can write to the patient any more: the desk calls. An offer of a sick day is the sick day's to see to. */
async function callWhereNothingIsLeft(
  tx: Tx,
  failed: {
    readonly appointment_id: string;
    readonly patient_id: string;
    readonly kind: string;
    readonly planned_for: Date;
  },
): Promise<void> {
  if (failed.kind === 'move_offer') return;
  const { reachable } = await channelsOf(tx, failed.patient_id);
  if (reachable !== undefined) return;
  await openCallTask(tx, { taskId: uuidV7(), appointmentId: failed.appointment_id, reason: 'message_failed' });
}
