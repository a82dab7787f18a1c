import type { Channel } from '../domain/notification.ts';

/** What a provider's report means for the notification. */
export type ReportedState = 'ACCEPTED' | 'DELIVERED' | 'FAILED';

/**
 * The providers' words. Twilio: twilio.com/docs/messaging/api/message-resource#message-status-values. SendGrid:
 * twilio.com/docs/sendgrid/for-developers/tracking-events/event; its `open`, `click` and the like prove that the email arrived.
 */
const REPORTED_STATES: Readonly<Record<Channel, ReadonlyMap<string, ReportedState>>> = {
  sms: new Map(
    Object.entries({
      accepted: 'ACCEPTED',
      scheduled: 'ACCEPTED',
      queued: 'ACCEPTED',
      sending: 'ACCEPTED',
      sent: 'ACCEPTED',
      delivered: 'DELIVERED',
      read: 'DELIVERED',
      undelivered: 'FAILED',
      failed: 'FAILED',
      canceled: 'FAILED',
    } as const),
  ),
  email: new Map(
    Object.entries({
      processed: 'ACCEPTED',
      deferred: 'ACCEPTED',
      delivered: 'DELIVERED',
      open: 'DELIVERED',
      click: 'DELIVERED',
      spamreport: 'DELIVERED',
      unsubscribe: 'DELIVERED',
      group_unsubscribe: 'DELIVERED',
      group_resubscribe: 'DELIVERED',
      bounce: 'FAILED',
      blocked: 'FAILED',
      dropped: 'FAILED',
    } as const),
  ),
};

/** Undefined for a word that says nothing about delivery. */
export function reportedState(channel: Channel, word: string): ReportedState | undefined {
  return REPORTED_STATES[channel].get(word);
}

/**
 * Do both ids name the same message? SendGrid's events carry the `X-Message-Id` of the answer followed by where the message went
 * (twilio.com/docs/sendgrid/glossary/message-id).
 */
export function isSameMessage(channel: Channel, known: string, told: string): boolean {
  if (known === told) return true;
  return channel === 'email' && (told.startsWith(`${known}.`) || known.startsWith(`${told}.`));
}
