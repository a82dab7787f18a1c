import { sql } from 'kysely';
import type { Tx } from '../../db/connection.ts';
import { LOST_AFTER } from '../../db/replays.ts';
import { isBeingMoved } from '../../db/sick-days.ts';
import type { Channel, NotificationKind } from '../../domain/notification.ts';
import type { Cancelling, MessageFacts, OfferedTime, VisitAsTold } from '../render.ts';
import { whyNotDue, type SkipReason } from '../still-due.ts';

/** What the message is made of; ids for the log. */
export interface NotificationToSend extends MessageFacts {
  readonly notificationId: string;
  readonly clinicId: string;
  readonly appointmentId: string;
  readonly channel: Channel;
  /** The phone number or email address; null when the patient has none (any more). */
  readonly address: string | null;
  /** The attempt under way. */
  readonly attempt: number;
  /** How many attempts were begun since it was planned or last replayed. */
  readonly attemptsMade: number;
}

/** The notification with all that its message is made of. The appointment cannot change, nor the notification, until the transaction ends. */
export function lockForSending(tx: Tx, notificationId: string) {
  return tx
    .selectFrom('notification as n')
    .innerJoin('appointment as a', 'a.appointment_id', 'n.appointment_id')
    .innerJoin('clinic as c', 'c.clinic_id', 'n.clinic_id')
    .innerJoin('provider as v', 'v.provider_id', 'a.provider_id')
    .innerJoin('patient as p', 'p.patient_id', 'n.patient_id')
    .leftJoin('offer as o', 'o.offer_id', 'n.offer_id')
    .leftJoin('provider as ov', 'ov.provider_id', 'o.provider_id')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('notification as earlier')
          .innerJoin('provider as with', 'with.provider_id', 'earlier.told_provider_id')
          .select(['earlier.planned_for', 'earlier.told_minutes', 'with.name'])
          .whereRef('earlier.appointment_id', '=', 'n.appointment_id')
          .whereRef('earlier.due_at', '<', 'n.due_at')
          .where('earlier.state', 'in', ['ACCEPTED', 'DELIVERED'])
          .where('earlier.offer_id', 'is', null)
          .orderBy('earlier.due_at', 'desc')
          .limit(1)
          .as('told'),
      (join) => join.onTrue(),
    )
    .select([
      'n.notification_id',
      'n.clinic_id',
      'n.appointment_id',
      'n.kind',
      'n.channel',
      'n.state',
      'n.planned_for',
      'n.appointment_version',
      'n.attempt',
      'n.first_attempt',
      'a.appointment_time',
      'a.time_set_version',
      'a.status',
      'a.confirmation_code',
      'a.notice_visits',
      sql<Date[]>`case when n.kind like 'series%' then array(select other.appointment_time from appointment other
        where other.announced_by = a.appointment_id order by other.appointment_time) else '{}' end`.as(
        'further_visits',
      ),
      'a.duration_minutes',
      'a.cancelled_by',
      'a.cancel_reason',
      sql<boolean>`exists (select from waitlist_entry w where w.patient_id = a.patient_id and w.provider_id = a.provider_id
        and w.status = 'WAITING')`.as('is_waiting'),
      'told.planned_for as told_start',
      'told.told_minutes',
      'told.name as told_provider_name',
      'c.name as clinic_name',
      'c.phone as clinic_phone',
      'c.time_zone',
      'v.name as provider_name',
      'p.given_name',
      'p.locale',
      'p.phone',
      'p.email',
      'o.state as offer_state',
      'o.slot_start as offer_start',
      'o.expires_at as offer_until',
      'ov.name as offer_provider_name',
      isBeingMoved.as('being_moved'),
      sql<boolean>`n.sending_until <= clock_timestamp()`.as('lease_over'),
      sql<boolean>`n.updated_at < now() - ${LOST_AFTER}`.as('stands_still'),
      sql<boolean>`exists (select from opt_out x where x.clinic_id = n.clinic_id and x.channel = n.channel
        and x.address = case n.channel when 'sms' then p.phone else p.email end)`.as('recipient_refuses'),
      // One that was itself skipped tells the patient nothing.
      sql<boolean>`exists (select from notification later where later.appointment_id = n.appointment_id
        and later.planned_for = n.planned_for and later.due_at > n.due_at and later.kind <> n.kind
        and later.kind like 'reminder:%' and later.state not in ('PLANNED', 'SKIPPED'))`.as('later_reminder'),
    ])
    .where('n.notification_id', '=', notificationId)
    .forShare('a')
    .forUpdate('n')
    .executeTakeFirst();
}

export type LockedRow = NonNullable<Awaited<ReturnType<typeof lockForSending>>>;

export function reasonNotDue(row: LockedRow, now: Date): SkipReason | undefined {
  return whyNotDue(
    {
      kind: row.kind,
      plannedFor: row.planned_for,
      appointmentVersion: row.appointment_version,
      laterReminder: row.later_reminder,
      recipientRefuses: row.recipient_refuses,
      offerOpenUntil: row.offer_state === 'OPEN' && row.offer_until !== null ? row.offer_until : undefined,
    },
    {
      status: row.status,
      appointmentTime: row.appointment_time,
      timeSetVersion: row.time_set_version,
      beingMoved: row.being_moved,
    },
    now,
  );
}

export function toSend(row: LockedRow, attempt: number): NotificationToSend {
  return {
    notificationId: row.notification_id,
    clinicId: row.clinic_id,
    appointmentId: row.appointment_id,
    kind: row.kind as NotificationKind,
    channel: row.channel,
    plannedFor: row.planned_for,
    confirmationCode: row.confirmation_code,
    visits: row.notice_visits,
    furtherVisits: row.further_visits,
    clinicName: row.clinic_name,
    clinicPhone: row.clinic_phone ?? undefined,
    durationMinutes: row.duration_minutes,
    before: toldBefore(row),
    cancelled: cancelling(row),
    timeZone: row.time_zone,
    providerName: row.provider_name,
    givenName: row.given_name,
    locale: row.locale,
    address: row.channel === 'sms' ? row.phone : row.email,
    offer: offerOf(row),
    attempt,
    attemptsMade: attempt - row.first_attempt + 1,
  };
}

function offerOf(row: LockedRow): OfferedTime | undefined {
  const { offer_provider_name: providerName, offer_start: start, offer_until: until } = row;
  return providerName === null || start === null || until === null ? undefined : { providerName, start, until };
}

function toldBefore(row: LockedRow): VisitAsTold | undefined {
  const { told_start: start, told_minutes: durationMinutes, told_provider_name: providerName } = row;
  if (start === null || durationMinutes === null || providerName === null) return undefined;
  return { start, durationMinutes, providerName };
}

function cancelling({ cancelled_by: by, cancel_reason: reason, is_waiting }: LockedRow): Cancelling | undefined {
  return by === null || reason === null
    ? undefined
    : { by: by, reason: reason as Cancelling['reason'], isWaiting: is_waiting };
}
