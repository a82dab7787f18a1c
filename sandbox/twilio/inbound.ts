import { API_VERSION, newMessage } from './message.ts';
import { countSegments } from './segments.ts';
import { KEYWORD_ANSWERS, readKeyword } from './keywords.ts';
import { postSigned } from './status-callback.ts';
import { readTwimlMessages } from './twiml.ts';
import type { TwilioMessage } from './message.ts';
import type { TwilioSigner } from './status-callback.ts';

/** A text message that a patient sends. */
export interface InboundText {
  from: string;
  to: string;
  body: string;
  /** The product's webhook for inbound messages. */
  url: string;
}

/** What came of it. */
export interface InboundResult {
  sid: string;
  /** The HTTP status of the product's answer; absent when none came. */
  status?: number;
  error?: string;
  /** The texts the patient got back: the carrier's own and the product's. */
  replies: string[];
}

/** What an inbound message may change. */
export interface InboundAccount {
  store(message: TwilioMessage): void;
  optOut(patient: string, sender: string): void;
  optIn(patient: string, sender: string): void;
  hasOptedOut(patient: string, sender: string): boolean;
}

/** Receives a patient's text: acts on STOP and START, tells the product, and sends back what is answered. */
export async function receiveText(
  text: InboundText,
  account: InboundAccount,
  signer: TwilioSigner,
  signal: AbortSignal,
): Promise<InboundResult> {
  const message = newMessage(signer.clock(), {
    from: text.from,
    to: text.to,
    body: text.body,
    direction: 'inbound',
    status: 'received',
  });
  account.store(message);
  const reply = (body: string) => {
    const now = signer.clock();
    const answer = newMessage(now, { from: text.to, to: text.from, body, direction: 'outbound-reply', status: 'sent' });
    account.store({ ...answer, status: 'delivered', dateSent: now, dateDelivered: now });
    return body;
  };

  const replies: string[] = [];
  const keyword = readKeyword(text.body);
  if (keyword === 'opt-out') account.optOut(text.from, text.to);
  const wasOptedOut = account.hasOptedOut(text.from, text.to);
  if (keyword === 'opt-in') account.optIn(text.from, text.to);
  if (keyword === 'opt-out' || keyword === 'help' || (keyword === 'opt-in' && wasOptedOut)) {
    replies.push(reply(KEYWORD_ANSWERS[keyword]));
  }

  const log = { event: 'inbound', attempts: message.webhooks };
  const answer = await postSigned(text.url, inboundFields(message, signer.accountSid), signer, log, signal);
  if (!('status' in answer)) return { sid: message.sid, error: answer.error, replies };
  if (answer.status < 300 && !account.hasOptedOut(text.from, text.to)) {
    replies.push(...readTwimlMessages(answer.body).map(reply));
  }
  return { sid: message.sid, status: answer.status, replies };
}

/** The form fields of an inbound message. Source: twilio.com/docs/messaging/guides/webhook-request. */
function inboundFields(message: TwilioMessage, accountSid: string): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: API_VERSION,
    Body: message.body,
    From: message.from,
    FromCity: '',
    FromCountry: 'US',
    FromState: '',
    FromZip: '',
    MessageSid: message.sid,
    NumMedia: '0',
    NumSegments: String(countSegments(message.body).segments),
    SmsMessageSid: message.sid,
    SmsSid: message.sid,
    SmsStatus: 'received',
    To: message.to,
    ToCity: '',
    ToCountry: 'US',
    ToState: '',
    ToZip: '',
  };
}
