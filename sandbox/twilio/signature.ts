import { createHmac } from 'node:crypto';

/**
 * Signs a webhook as Twilio does: base64 of HMAC-SHA1 over the URL followed by every form field, sorted by name, name
 * and value joined without a separator. Source: twilio.com/docs/usage/security#validating-requests.
 */
export function signTwilioWebhook(authToken: string, url: string, fields: Record<string, string>): string {
  const signed = Object.keys(fields)
    .sort()
    .reduce((text, name) => text + name + (fields[name] ?? ''), url);
  return createHmac('sha1', authToken).update(signed, 'utf8').digest('base64');
}
