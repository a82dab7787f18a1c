import type { SelectQueryBuilder } from 'kysely';
import type { Tx } from '../../db/connection.ts';
import { clinicOfNotification } from '../../db/look-ups.ts';
import type { Database } from '../../db/schema.ts';
import type { Channel, NotificationState } from '../../domain/notification.ts';
import type { NotificationRow } from '../../notifications/ledger/rows.ts';
import type { Position } from '../cursor.ts';
import { list, one, plain, type ReadDeps } from '../read.ts';

/** What support looks for. Everything that is named must be so. */
export interface NotificationFilter {
  readonly state?: NotificationState | undefined;
  readonly appointmentId?: string | undefined;
  readonly patientId?: string | undefined;
  /** Of the patient as they are on file now. */
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  readonly channel?: Channel | undefined;
  readonly kind?: string | undefined;
  readonly reason?: string | undefined;
  /** Planned from the one instant on and before the other. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The clinic's messages, newest first; one row more than `limit` when there is a next page. */
function notificationsWhere(
  tx: Tx,
  filter: NotificationFilter & { readonly before?: Position | undefined; readonly limit: number },
): Promise<NotificationRow[]> {
  const { before, limit } = filter;
  let query = matching(tx.selectFrom('notification'), filter)
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('notification_id', 'desc')
    .limit(limit + 1);
  if (before !== undefined) {
    query = query.where((eb) => eb(eb.refTuple('created_at', 'notification_id'), '<', eb.tuple(before.at, before.id)));
  }
  return query.execute();
}

/** Why messages failed or were not sent, the commonest reason first. */
function reasonsWhere(
  tx: Tx,
  filter: NotificationFilter,
): Promise<{ readonly state: NotificationState; readonly reason: string | null; readonly count: number }[]> {
  return matching(tx.selectFrom('notification'), filter)
    .select((eb) => ['state', 'reason', eb.cast<number>(eb.fn.countAll(), 'integer').as('count')])
    .where('state', 'in', ['FAILED', 'UNKNOWN', 'SKIPPED'])
    .groupBy(['state', 'reason'])
    .orderBy('count', 'desc')
    .orderBy('state')
    .orderBy('reason')
    .limit(100)
    .execute();
}

function matching(
  notifications: SelectQueryBuilder<Database, 'notification', object>,
  filter: NotificationFilter,
): SelectQueryBuilder<Database, 'notification', object> {
  const { state, appointmentId, patientId, phone, email, channel, kind, reason, from, to } = filter;
  let query = notifications;
  if (state !== undefined) query = query.where('state', '=', state);
  if (appointmentId !== undefined) query = query.where('appointment_id', '=', appointmentId);
  if (patientId !== undefined) query = query.where('patient_id', '=', patientId);
  if (channel !== undefined) query = query.where('channel', '=', channel);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (reason !== undefined) query = query.where('reason', '=', reason);
  if (from !== undefined) query = query.where('created_at', '>=', new Date(from));
  if (to !== undefined) query = query.where('created_at', '<', new Date(to));
  if (phone !== undefined || email !== undefined) {
    query = query.where('patient_id', 'in', (eb) => {
      let patients = eb.selectFrom('patient').select('patient.patient_id');
      if (phone !== undefined) patients = patients.where('phone', '=', phone);
      if (email !== undefined)
        patients = patients.where((of) => of(of.fn('lower', ['email']), '=', email.toLowerCase()));
      return patients;
    });
  }
  return query;
}

/** A message with everything that was tried to get it out. */
async function findNotification(tx: Tx, notificationId: string) {
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

export const notificationReads = {
  clinicOfNotification: ({ connection }: ReadDeps, notificationId: string) =>
    clinicOfNotification(connection.db, notificationId),
  notification: one('notification', findNotification),
  notifications: list('notifications', notificationsWhere),
  notificationReasons: plain(reasonsWhere),
};
