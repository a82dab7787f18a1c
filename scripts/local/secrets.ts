import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

/** The secrets of one local run: drawn anew, shared by the roles and the sandbox, never written to disk. */
export interface LocalSecrets {
  /** For the roles and the sandbox alike. */
  readonly shared: Readonly<Record<string, string>>;
  readonly roles: Readonly<Record<string, string>>;
  readonly sandbox: Readonly<Record<string, string>>;
}

export function drawSecrets(): LocalSecrets {
  const webhook = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ehr = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const keyId = randomBytes(8).toString('hex');
  return {
    shared: {
      JWT_SECRET: randomBytes(32).toString('hex'),
      JWT_ISSUER: 'https://auth.mediconnect.example',
      JWT_AUDIENCE: 'mediconnect-api',
      TWILIO_ACCOUNT_SID: `AC${randomBytes(16).toString('hex')}`,
      TWILIO_AUTH_TOKEN: randomBytes(16).toString('hex'),
      TWILIO_FROM_NUMBER: '+15005550006',
      SENDGRID_API_KEY: `SG.${randomBytes(24).toString('base64url')}`,
      EHR_CLIENT_ID: 'mediconnect',
    },
    roles: {
      SENDGRID_FROM_EMAIL: 'appointments@mediconnect.example',
      SENDGRID_WEBHOOK_PUBLIC_KEY: der(webhook.publicKey, 'spki'),
      EHR_PRIVATE_KEY: der(ehr.privateKey, 'pkcs8'),
      EHR_KEY_ID: keyId,
    },
    sandbox: {
      SENDGRID_WEBHOOK_PRIVATE_KEY: der(webhook.privateKey, 'pkcs8'),
      EHR_CLIENT_PUBLIC_JWK: JSON.stringify({
        ...ehr.publicKey.export({ format: 'jwk' }),
        kid: keyId,
        alg: 'ES384',
        use: 'sig',
      }),
    },
  };
}

function der(key: KeyObject, type: 'spki' | 'pkcs8'): string {
  return (key.export({ format: 'der', type } as never) as unknown as Buffer).toString('base64');
}
