import { sql } from 'kysely';
import type { Tx } from '../db/connection.ts';
import { CHANNELS, chooseChannel, type Channel } from '../domain/notification.ts';

/**
 * What the providers say when it is the recipient who cannot or will not be reached, for good: the same message goes by the other channel, and nothing
 * is sent to that address any more. Twilio: not a number, not a mobile, opted out, unknown handset, landline (twilio.com/docs/api/errors). SendGrid:
 * dropped, bounced, bad address (RFC 3463 §3.2).
 */
const REFUSED_BY_RECIPIENT =
  /^(twilio_(21211|21217|21265|21610|21614|30005|30006)|sendgrid_(dropped|bounce|5\.1\.\d{1,3})|recipient_refuses)$/;

/** Was it for this reason, the ledger's, that the recipient cannot be reached on that channel? */
export function isRefusedByRecipient(reason: string | null): boolean {
  return reason !== null && REFUSED_BY_RECIPIENT.test(reason);
}

/**
 * What it says when a message did not arrive and the next one may: handset off, unknown, queue full; a full or busy mailbox. This message goes by the
 * other channel.
 */
const NOT_DELIVERED = /^(twilio_(30001|30003|30008)|sendgrid_(blocked|[45]\.\d{1,3}\.\d{1,3}))$/;

/** Did it end so, by the ledger's reason, that the same message is worth sending on another channel? */
export function callsForOtherChannel(reason: string | null): boolean {
  return isRefusedByRecipient(reason) || (reason !== null && NOT_DELIVERED.test(reason));
}

/** The patient's preferred channel, or the other one where they have no address there or it has been refused. */
export async function channelsOf(
  tx: Tx,
  patientId: string,
): Promise<{
  readonly preferred: Channel;
  readonly reachable: Channel | undefined;
  /** Every channel on which they can be reached. */
  readonly channels: readonly Channel[];
}> {
  const { preferred, phone, email } = await tx
    .selectFrom('patient as p')
    .select([
      'p.preferred_channel as preferred',
      sql<boolean>`p.phone is not null and not exists (select from opt_out o
        where o.clinic_id = current_clinic() and o.channel = 'sms' and o.address = p.phone)`.as('phone'),
      sql<boolean>`p.email is not null and not exists (select from opt_out o
        where o.clinic_id = current_clinic() and o.channel = 'email' and o.address = p.email)`.as('email'),
    ])
    .where('p.patient_id', '=', patientId)
    .executeTakeFirstOrThrow();
  const other: Channel = preferred === 'sms' ? 'email' : 'sms';
  const isReachable = { sms: phone, email };
  return {
    preferred,
    reachable: chooseChannel([preferred, other], phone, email),
    channels: CHANNELS.filter((channel) => isReachable[channel]),
  };
}

/** Remembers that the recipient of a notification refuses us there; not of an address that they have changed since it was sent. */
export async function rememberRefusal(tx: Tx, notificationId: string, reason: string): Promise<void> {
  await sql`
    insert into opt_out (clinic_id, channel, address, reason)
      select n.clinic_id, n.channel, address, ${reason}
      from notification n
        join patient p on p.patient_id = n.patient_id
        cross join lateral (select case n.channel when 'sms' then p.phone else p.email end) as at (address)
      where n.notification_id = ${notificationId} and address is not null and not exists (
        select from delivery_attempt d where d.notification_id = n.notification_id and d.attempt = n.attempt and d.started_at < p.updated_at)
    on conflict do nothing`.execute(tx);
}
