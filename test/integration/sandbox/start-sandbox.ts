import { generateKeyPairSync } from 'node:crypto';
import { createSandbox } from '../../../sandbox/sandbox.ts';
import type { JsonWebKey } from 'node:crypto';
import type { JWK } from 'jose';
import type { KeyObject } from 'node:crypto';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import type { SandboxOptions } from '../../../sandbox/options.ts';

export const ACCOUNT_SID = `AC${'0'.repeat(31)}1`;
export const AUTH_TOKEN = 'twilio-auth-token';
export const OUR_NUMBER = '+15551230000';
export const API_KEY = 'SG.key';
export const JWT_SECRET = 'a-shared-secret-of-at-least-32-bytes';
export const AUDIENCE = 'mediconnect-api';
export const EHR_CLIENT_ID = 'mediconnect';
export const TENANT = 'harbor';

/** A key pair for the EHR's token service. */
export interface AssertionKey {
  privateKey: KeyObject;
  alg: 'ES384' | 'RS384';
  kid: string;
  publicJwk: JWK;
}

export function createAssertionKey(alg: 'ES384' | 'RS384', kid: string): AssertionKey {
  const { privateKey, publicKey } =
    alg === 'ES384'
      ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk: JsonWebKey = publicKey.export({ format: 'jwk' });
  return { privateKey, alg, kid, publicJwk: { ...(jwk as JWK), kid, alg } };
}

/** Starts a sandbox with quick deliveries. */
export async function startSandbox(changes: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  return createSandbox({
    twilio: {
      accountSid: ACCOUNT_SID,
      authToken: AUTH_TOKEN,
      fromNumbers: [OUR_NUMBER],
      settings: { sentMs: 1, deliveredMs: 1 },
    },
    sendgrid: { apiKey: API_KEY, settings: { deliveredMs: 1, eventBatchMs: 5 } },
    oauth2: { jwtSecret: JWT_SECRET, audience: AUDIENCE },
    ehr: { clients: [] },
    ...changes,
  });
}
