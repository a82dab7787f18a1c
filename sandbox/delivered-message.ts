import type { WebhookAttempt } from './webhook.ts';

/** A text message or an email as the patient meets it, whichever vendor carried it. */
export interface DeliveredMessage {
  channel: 'sms' | 'email';
  direction: 'outbound' | 'inbound';
  /** The vendor's id: a Twilio message SID, or SendGrid's sg_message_id. */
  id: string;
  from: string;
  to: string;
  subject?: string;
  /** The text as the patient would read it. */
  text: string;
  html?: string;
  /** The vendor's status word. */
  status: string;
  errorCode?: string;
  createdAt: string;
  updatedAt: string;
  sentAt?: string;
  deliveredAt?: string;
  /** What the product attached to the message: SendGrid's custom arguments. */
  customArgs?: Record<string, string>;
  statusCallback?: string;
  /** What the vendor told the product about the message. */
  webhooks: WebhookAttempt[];
}
