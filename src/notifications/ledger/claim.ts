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
  /** Of the text that was sent, keyed: where another text would be made today, not finding that one proves nothing. */
  readonly textHash: string | null;
  /** Ids that the provider gave to other messages about this appointment: they are not the one looked for. */
  readonly otherMessageIds: readonly string[];
}

/**
 * Takes a notification up, in one transaction: locks the appointment against changes, checks that the message is still due, and writes SENDING and
 * the attempt before anybody calls the provider. A lease that has run out means that its owner died: UNKNOWN.
 *
 * @param now - decides whether the visit has begun; leases run on the database's clock
 * @param leaseMs - longer than the call to the provider may take
 * @param textHash - what is kept of the text that is about to be sent
 */
export async function claimToSend(
  tx: Tx,
  options: {
    readonly notificationId: string;
    readonly now: Date;
    readonly leaseMs: number;
    readonly textHash?: (notification: NotificationToSend) => string | null;
  },
): Promise<Claim> {
  const { notificationId, now, leaseMs, textHash = () => null } = options;
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
      const notification = toSend(row, row.attempt + 1);
      await beginAttempt(tx, notificationId, leaseMs, textHash(notification));
      return { outcome: 'send', notification };
    }
  }
}

/** Writes SENDING and the attempt in one statement; the row is locked. */
async function beginAttempt(tx: Tx, notificationId: string, leaseMs: number, textHash: string | null): Promise<void> {
  await tx
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
    .columns(['clinic_id', 'notification_id', 'attempt', 'started_at', 'text_hash'])
    .expression((db) =>
      db
        .selectFrom('claimed')
        .select([
          'clinic_id',
          'notification_id',
          'attempt',
          sql<Date>`clock_timestamp()`.as('started_at'),
          sql<string | null>`${textHash}::text`.as('text_hash'),
        ]),
    )
    .execute();
}

async function openAttempt(tx: Tx, row: LockedRow): Promise<OpenAttempt> {
  const { started_at, text_hash } = await tx
    .selectFrom('delivery_attempt')
    .select(['started_at', 'text_hash'])
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
    textHash: text_hash,
    otherMessageIds: others.flatMap(({ provider_message_id: id }) => (id === null ? [] : [id])),
  };
}
