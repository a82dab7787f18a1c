import { randomBytes } from 'node:crypto';
import { countSegments } from './segments.ts';
import type { DeliveredMessage } from '../delivered-message.ts';
import type { WebhookAttempt } from '../webhook.ts';

/** The version of the REST API that the stand-in speaks. */
export const API_VERSION = '2010-04-01';

/** The statuses that the stand-in uses. Source: twilio.com/docs/messaging/api/message-resource#message-status-values. */
export type TwilioStatus = 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'received';

/** A message as the stand-in stores it. */
export interface TwilioMessage {
  sid: string;
  from: string;
  to: string;
  body: string;
  direction: 'outbound-api' | 'outbound-reply' | 'inbound';
  status: TwilioStatus;
  errorCode: number | null;
  dateCreated: Date;
  dateUpdated: Date;
  dateSent: Date | null;
  dateDelivered: Date | null;
  statusCallback: string | null;
  webhooks: WebhookAttempt[];
}

/** A new message that nothing has happened to yet. */
export function newMessage(
  now: Date,
  fields: Pick<TwilioMessage, 'from' | 'to' | 'body' | 'direction' | 'status'> & { statusCallback?: string | null },
): TwilioMessage {
  return {
    sid: `SM${randomBytes(16).toString('hex')}`,
    errorCode: null,
    dateCreated: now,
    dateUpdated: now,
    dateSent: null,
    dateDelivered: null,
    statusCallback: null,
    webhooks: [],
    ...fields,
  };
}

/** A date as Twilio writes it: RFC 2822 in GMT. */
function rfc2822(date: Date | null): string | null {
  return date === null ? null : date.toUTCString().replace('GMT', '+0000');
}

/** The Message resource as the API shows it. */
export function renderMessage(message: TwilioMessage, accountSid: string) {
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: API_VERSION,
    body: message.body,
    date_created: rfc2822(message.dateCreated),
    date_sent: rfc2822(message.dateSent),
    date_updated: rfc2822(message.dateUpdated),
    direction: message.direction,
    error_code: message.errorCode,
    error_message: message.errorCode === null ? null : `Error ${String(message.errorCode)}`,
    from: message.from,
    messaging_service_sid: null,
    num_media: '0',
    num_segments: String(countSegments(message.body).segments),
    price: null,
    price_unit: 'USD',
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

/** The message as the inbox shows it. */
export function showMessage(message: TwilioMessage): DeliveredMessage {
  return {
    channel: 'sms',
    direction: message.direction === 'inbound' ? 'inbound' : 'outbound',
    id: message.sid,
    from: message.from,
    to: message.to,
    text: message.body,
    status: message.status,
    createdAt: message.dateCreated.toISOString(),
    updatedAt: message.dateUpdated.toISOString(),
    webhooks: [...message.webhooks],
    ...(message.errorCode === null ? {} : { errorCode: String(message.errorCode) }),
    ...(message.dateSent === null ? {} : { sentAt: message.dateSent.toISOString() }),
    ...(message.dateDelivered === null ? {} : { deliveredAt: message.dateDelivered.toISOString() }),
    ...(message.statusCallback === null ? {} : { statusCallback: message.statusCallback }),
  };
}
