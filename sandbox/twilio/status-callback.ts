import { API_VERSION } from './message.ts';
import { isRepeated, readConnectionOverrides } from './connection-overrides.ts';
import { signTwilioWebhook } from './signature.ts';
import { describeAttempt, postWebhook } from '../webhook.ts';
import { wait } from '../tasks.ts';
import type { Clock } from '../context.ts';
import type { TwilioMessage, TwilioStatus } from './message.ts';
import type { WebhookAnswer, WebhookAttempt } from '../webhook.ts';

/** The pause before a webhook is repeated, in milliseconds; every further one is twice as long. */
const FIRST_PAUSE_MS = 100;

/** Who signs, and with what. */
export interface TwilioSigner {
  accountSid: string;
  authToken: string;
  clock: Clock;
}

/** The form fields of a status callback. Source: twilio.com/docs/messaging/guides/track-outbound-message-status. */
export function statusFields(message: TwilioMessage, status: TwilioStatus, accountSid: string): Record<string, string> {
  const failed = status === 'undelivered' || status === 'failed';
  return {
    AccountSid: accountSid,
    ApiVersion: API_VERSION,
    From: message.from,
    MessageSid: message.sid,
    MessageStatus: status,
    SmsSid: message.sid,
    SmsStatus: status,
    To: message.to,
    ...(failed && message.errorCode !== null ? { ErrorCode: String(message.errorCode) } : {}),
  };
}

/** Posts a signed webhook, repeating it as the URL's connection overrides ask, and records every attempt. */
export async function postSigned(
  target: string,
  fields: Record<string, string>,
  signer: TwilioSigner,
  log: { event: string; attempts: WebhookAttempt[]; forged?: boolean },
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const { url, retries, policies } = readConnectionOverrides(target);
  const token = log.forged ? 'not-the-auth-token' : signer.authToken;
  const request = {
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'user-agent': 'TwilioProxy/1.1',
      'x-twilio-signature': signTwilioWebhook(token, url, fields),
    },
    body: new URLSearchParams(fields).toString(),
  };
  for (let attempt = 0; ; attempt += 1) {
    const answer = await postWebhook(url, request, signal);
    log.attempts.push(describeAttempt(url, log.event, signer.clock(), answer));
    if (attempt >= retries || !isRepeated(answer, policies)) return answer;
    await wait(FIRST_PAUSE_MS * 2 ** attempt, signal);
  }
}
