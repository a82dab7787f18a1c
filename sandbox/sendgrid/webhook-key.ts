import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The key that signs event webhooks. */
export interface WebhookKey {
  /** Base64 of the DER public key, as SendGrid's settings page shows it. */
  publicKey: string;
  /**
   * Signs timestamp and body: ECDSA on P-256 with SHA-256, base64.
   * Source: twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features.
   */
  sign(timestamp: string, body: string): string;
}

/** Reads the private key (base64 of PKCS #8 DER), or makes one. */
export function createWebhookKey(privateKeyBase64?: string): WebhookKey {
  const privateKey = privateKeyBase64 === undefined ? generateKey() : readKey(privateKeyBase64);
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
  return {
    publicKey,
    sign: (timestamp, body) => sign('sha256', Buffer.from(timestamp + body, 'utf8'), privateKey).toString('base64'),
  };
}

function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function readKey(base64: string): KeyObject {
  const key = createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('The webhook key must be an elliptic curve key on P-256');
  }
  return key;
}
