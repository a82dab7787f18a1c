import type { Tx } from '../../db/connection.ts';
import { WAITING, type Channel, type NotificationState } from '../../domain/notification.ts';
import { isSameMessage, reportedState } from '../provider-states.ts';
import { awaitsAnswer, closeAttempt } from './attempts.ts';
import { change } from './change.ts';

/** What a provider tells of a message, after the answer to the call. */
export interface ProviderReport {
  readonly channel: Channel;
  readonly notificationId: string;
  readonly providerMessageId?: string | undefined;
  /** The provider's own word: Twilio's MessageStatus, SendGrid's event. */
  readonly providerState: string;
  readonly errorCode?: string | undefined;
  /** When it happened, by the provider's clock. */
  readonly occurredAt?: Date | undefined;
}

/** `changed`: the notification is in another state now. `unchanged`: known already, or outranked. `ignored`: nothing of ours that it could be about. */
export type CallbackOutcome = 'changed' | 'unchanged' | 'ignored';

/**
 * Takes in a callback. Callbacks come late, repeated and out of order: a report about an attempt never takes it back to a lower rank, one about an
 * earlier attempt changes the notification only when it proves that the message did arrive, and the first one resolves a lost answer.
 */
export async function settleByCallback(tx: Tx, report: ProviderReport): Promise<CallbackOutcome> {
  const { channel, notificationId, providerMessageId } = report;
  const to = reportedState(channel, report.providerState);
  if (to === undefined) return 'ignored';
  const row = await tx
    .selectFrom('notification')
    .select(['channel', 'state', 'attempt'])
    .where('notification_id', '=', notificationId)
    .forUpdate()
    .executeTakeFirst();
  if (row?.channel !== channel) return 'ignored';

  const attempts = await tx
    .selectFrom('delivery_attempt')
    .select(['attempt', 'outcome', 'provider_message_id'])
    .where('notification_id', '=', notificationId)
    .orderBy('attempt', 'desc')
    .execute();
  const waits = WAITING.includes(row.state);
  const current = waits ? undefined : attempts.find(({ attempt }) => attempt === row.attempt);
  const about =
    providerMessageId === undefined
      ? current
      : (attempts.find(
          (each) =>
            each.provider_message_id !== null && isSameMessage(channel, each.provider_message_id, providerMessageId),
        ) ?? (awaitsAnswer(row.state) && current?.provider_message_id === null ? current : undefined));
  if (about === undefined) return 'ignored';

  const end = { outcome: to, errorCode: report.errorCode, providerMessageId, at: report.occurredAt };
  const isNews = await closeAttempt(tx, { notificationId, attempt: about.attempt }, end);
  if (!isNews) return 'unchanged';
  const isCurrent = about.attempt === row.attempt;
  // By the provider's own id: then a message that waits to be sent again would be a second one.
  const isProof = to === 'DELIVERED' && providerMessageId !== undefined && about.provider_message_id !== null;
  const changed = await change(tx, {
    notificationId,
    to,
    from: [
      ...(isCurrent ? FROM_REPORT[to] : FROM_REPORT[to].filter((state) => state === 'FAILED')),
      ...(isProof ? WAITING : []),
    ],
    reason: to === 'FAILED' ? failureReason(channel, report.errorCode ?? report.providerState) : undefined,
    ...((isCurrent && about.provider_message_id === null) || (isProof && waits) ? { providerMessageId } : {}),
    settledAt: report.occurredAt,
  });
  return changed ? 'changed' : 'unchanged';
}

/** A reason as it is stored and shown: where the code comes from, and the code. */
export function failureReason(channel: Channel, code: string): string {
  return `${channel === 'sms' ? 'twilio' : 'sendgrid'}_${code}`;
}

/** From where a provider's report may take a notification; one that waits in the queue again is touched only by the proof that it arrived. */
const FROM_REPORT: Readonly<Record<'ACCEPTED' | 'DELIVERED' | 'FAILED', readonly NotificationState[]>> = {
  ACCEPTED: ['SENDING', 'UNKNOWN'],
  DELIVERED: ['SENDING', 'UNKNOWN', 'ACCEPTED', 'FAILED'],
  FAILED: ['SENDING', 'UNKNOWN', 'ACCEPTED'],
};
