import type { Tx } from '../../db/connection.ts';

/** A message with everything that was tried to get it out. */
export async function findNotification(tx: Tx, notificationId: string) {
  const notification = await tx
    .selectFrom('notification')
    .selectAll()
    .where('notification_id', '=', notificationId)
    .executeTakeFirst();
  if (notification === undefined) return undefined;
  const attempts = await tx
    .selectFrom('delivery_attempt')
    .select(['attempt', 'started_at', 'finished_at', 'outcome', 'error_code', 'provider_message_id'])
    .where('notification_id', '=', notificationId)
    .orderBy('attempt')
    .execute();
  return { notification, attempts };
}

export type NotificationWithAttempts = NonNullable<Awaited<ReturnType<typeof findNotification>>>;
