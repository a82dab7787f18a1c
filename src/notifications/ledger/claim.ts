import { sql } from 'kysely';
import type { Tx } from '../../db/connection.ts';
import type { NotificationState } from '../../domain/notification.ts';
import type { SkipReason } from '../still-due.ts';
import { markUnknown } from './attempts.ts';
import { change } from './change.ts';
import { lockForSending, reasonNotDue, toSend, type LockedRow, type NotificationToSend } from './message-row.ts';

/** Where a notification stands when the notifier takes up a message about it. */
export type Claim =
  /** It is ours to send: SENDING is written. */
  | { readonly outcome: 'send'; readonly notification: NotificationToSend }
  /** An attempt was begun whose outcome nobody knows: only the provider can tell. */
  | { readonly outcome: 'look-up'; readonly notification: NotificationToSend; readonly attempt: OpenAttempt }
  /** Somebody else is sending it at this moment. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'skipped'; readonly reason: SkipReason }
  /** Accepted or settled: nothing is left to do. */
  | { readonly outcome: 'done'; readonly state: NotificationState }
  /** The ledger does not know it. */
  | { readonly outcome: 'missing' };

/** The attempt of unknown outcome, and what a look-up at the provider needs to know. */
export interface OpenAttempt {
  readonly startedAt: Date;
  /** Has anything changed since of which the text is made? Then not finding the text proves nothing. */
  readonly textMayDiffer: boolean;
  /** Ids that the provider gave to other messages about this appointment: they are not the one looked for. */
  readonly otherMessageIds: readonly string[];
}

/**
 * Takes a notification up, in one transaction: locks the appointment against changes, checks that the message is still due, and writes SENDING and
 * the attempt before anybody calls the provider. A lease that has run out means that its owner died: UNKNOWN.
 *
 * @param now - decides whether the visit has begun; leases run on the database's clock
 * @param leaseMs - longer than the call to the provider may take
 */
export async function claimToSend(
  tx: Tx,
  options: { readonly notificationId: string; readonly now: Date; readonly leaseMs: number },
): Promise<Claim> {
  const { notificationId, now, leaseMs } = options;
  const row = await lockForSending(tx, notificationId);
  if (row === undefined) return { outcome: 'missing' };

  switch (row.state) {
    case 'SENDING':
      if (!row.lease_over) return { outcome: 'busy' };
      await markUnknown(tx, { notificationId, attempt: row.attempt, reason: 'sender_lost' });
      return { outcome: 'look-up', notification: toSend(row, row.attempt), attempt: await openAttempt(tx, row) };
    case 'UNKNOWN':
      return { outcome: 'look-up', notification: toSend(row, row.attempt), attempt: await openAttempt(tx, row) };
    case 'ACCEPTED':
    case 'DELIVERED':
    case 'FAILED':
    case 'SKIPPED':
      return { outcome: 'done', state: row.state };
    case 'PLANNED':
    case 'QUEUED':
    case 'RETRY': {
      const reason = reasonNotDue(row, now);
      if (reason !== undefined) {
        await change(tx, { notificationId, to: 'SKIPPED', from: [row.state], reason });
        return { outcome: 'skipped', reason };
      }
      return { outcome: 'send', notification: toSend(row, await beginAttempt(tx, notificationId, leaseMs)) };
    }
  }
}

/** Writes SENDING and the attempt in one statement; the row is locked. Returns the attempt's number. */
async function beginAttempt(tx: Tx, notificationId: string, leaseMs: number): Promise<number> {
  const { attempt } = await tx
    .with('claimed', (db) =>
      db
        .updateTable('notification')
        .set({
          state: 'SENDING',
          attempt: sql`attempt + 1`,
          sending_until: sql<Date>`clock_timestamp() + ${leaseMs} * interval '1 millisecond'`,
          reason: null,
          // As the appointment is locked, this is what the text will say.
          told_provider_id: sql<string>`(select provider_id from appointment a where a.appointment_id = notification.appointment_id)`,
          told_minutes: sql<number>`(select duration_minutes from appointment a where a.appointment_id = notification.appointment_id)`,
          updated_at: sql`now()`,
        })
        .where('notification_id', '=', notificationId)
        .returning(['clinic_id', 'notification_id', 'attempt']),
    )
    .insertInto('delivery_attempt')
    .columns(['clinic_id', 'notification_id', 'attempt', 'started_at'])
    .expression((db) =>
      db
        .selectFrom('claimed')
        .select(['clinic_id', 'notification_id', 'attempt', sql<Date>`clock_timestamp()`.as('started_at')]),
    )
    .returning('attempt')
    .executeTakeFirstOrThrow();
  return attempt;
}

async function openAttempt(tx: Tx, row: LockedRow): Promise<OpenAttempt> {
  const { started_at } = await tx
    .selectFrom('delivery_attempt')
    .select('started_at')
    .where('notification_id', '=', row.notification_id)
    .where('attempt', '=', row.attempt)
    .executeTakeFirstOrThrow();
  const others = await tx
    .selectFrom('delivery_attempt as d')
    .innerJoin('notification as n', 'n.notification_id', 'd.notification_id')
    .select('d.provider_message_id')
    .where('n.appointment_id', '=', row.appointment_id)
    .where('d.provider_message_id', 'is not', null)
    .execute();
  return {
    startedAt: started_at,
    textMayDiffer: row.text_changed_at > started_at,
    otherMessageIds: others.flatMap(({ provider_message_id: id }) => (id === null ? [] : [id])),
  };
}
