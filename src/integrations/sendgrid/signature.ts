import { createPublicKey, verify } from 'node:crypto';

/** An event older or newer than this is refused: the signature covers its time, so an old one is a replay. */
const WINDOW_SECONDS = 300;

/**
 * Did SendGrid send these events? ECDSA (P-256, SHA-256) over the timestamp header and the raw body, byte for byte
 * (twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
 *
 * @param publicKey - base64 of the DER (SPKI) key, as SendGrid shows it
 * @param request.timestamp - the header `X-Twilio-Email-Event-Webhook-Timestamp`, epoch seconds
 * @param request.signature - the header `X-Twilio-Email-Event-Webhook-Signature`
 * @param now - epoch milliseconds
 */
export function verifySendgridSignature(
  publicKey: string,
  request: {
    readonly rawBody: Buffer | string;
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
  },
  now: number,
): boolean {
  const { rawBody, timestamp, signature } = request;
  if (timestamp === undefined || signature === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now / 1_000 - Number(timestamp)) > WINDOW_SECONDS) return false;
  const signed = Buffer.concat([Buffer.from(timestamp), Buffer.from(rawBody)]);
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  return verify('sha256', signed, key, Buffer.from(signature, 'base64'));
}
