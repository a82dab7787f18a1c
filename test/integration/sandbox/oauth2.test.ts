import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import * as oauth from 'openid-client';
import { AUDIENCE, JWT_SECRET, startSandbox } from './start-sandbox.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const CLIENT = {
  clientId: 'ada',
  clientSecret: 'p&ss: wörd',
  claims: { role: 'patient', patient_id: '018f0000-0000-7000-8000-000000000001' },
  scopes: ['availability:read', 'appointments:read', 'appointments:write'],
} as const;

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ oauth2: { jwtSecret: JWT_SECRET, audience: AUDIENCE, clients: [CLIENT] } });
});

afterEach(() => sandbox.control.reset());

afterAll(async () => sandbox.close());

function verified(token: string) {
  return jwtVerify(token, new TextEncoder().encode(JWT_SECRET), {
    algorithms: ['HS256'],
    audience: AUDIENCE,
    issuer: `${sandbox.url}/oauth2`,
  });
}

async function discovered(authentication: oauth.ClientAuth): Promise<oauth.Configuration> {
  return oauth.discovery(new URL(`${sandbox.url}/oauth2`), CLIENT.clientId, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the sandbox speaks plain HTTP
    execute: [oauth.allowInsecureRequests],
  });
}

function ask(
  form: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${sandbox.url}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
}

const CREDENTIALS = {
  grant_type: 'client_credentials',
  client_id: CLIENT.clientId,
  client_secret: CLIENT.clientSecret,
};

describe('the token service', () => {
  it.each([
    ['client_secret_basic', oauth.ClientSecretBasic(CLIENT.clientSecret)],
    ['client_secret_post', oauth.ClientSecretPost(CLIENT.clientSecret)],
  ])('issues a token by %s', async (_method, authentication) => {
    const tokens = await oauth.clientCredentialsGrant(await discovered(authentication));
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3_600, scope: CLIENT.scopes.join(' ') });
    const { payload, protectedHeader } = await verified(tokens.access_token);
    expect(protectedHeader).toMatchObject({ alg: 'HS256' });
    expect(payload).toMatchObject({
      ...CLIENT.claims,
      sub: CLIENT.claims.patient_id,
      scope: CLIENT.scopes.join(' '),
      jti: expect.any(String),
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(3_600);
  });

  it('grants a part of the scopes when it is asked to', async () => {
    const response = await ask({ ...CREDENTIALS, scope: 'appointments:read' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { access_token: token } = (await response.json()) as { access_token: string };
    expect((await verified(token)).payload['scope']).toBe('appointments:read');
  });

  it.each<[string, Record<string, string> | [string, string][], number, string]>([
    ['a wrong secret', { ...CREDENTIALS, client_secret: 'wrong' }, 401, 'invalid_client'],
    ['an unknown client', { ...CREDENTIALS, client_id: 'nobody' }, 401, 'invalid_client'],
    ['no credentials', { grant_type: 'client_credentials' }, 401, 'invalid_client'],
    ['no grant type', { client_id: 'ada', client_secret: 'x' }, 400, 'invalid_request'],
    ['another grant type', { ...CREDENTIALS, grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['a scope that is not the client’s', { ...CREDENTIALS, scope: 'clinic:write' }, 400, 'invalid_scope'],
    [
      'a parameter given twice',
      [...Object.entries(CREDENTIALS), ['scope', 'a'], ['scope', 'b']],
      400,
      'invalid_request',
    ],
  ])('refuses %s', async (_what, form, status, error) => {
    const response = await ask(form);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error, error_description: expect.any(String) });
    expect(response.headers.get('www-authenticate')).toEqual(status === 401 ? expect.any(String) : null);
  });

  it('refuses two ways of authentication at once, and a body that is not a form', async () => {
    const both = await ask(CREDENTIALS, { authorization: `Basic ${btoa('ada:x')}` });
    expect(await both.json()).toMatchObject({ error: 'invalid_request' });
    const json = await fetch(`${sandbox.url}/oauth2/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(CREDENTIALS),
    });
    expect(json.status).toBe(400);
  });

  it('learns of clients while it runs, and forgets them on reset', async () => {
    const client = { ...CLIENT, clientId: 'desk', claims: { role: 'clinic_admin', clinic_id: 'c-1' } } as const;
    sandbox.control.oauth2.addClient({ ...client, tokenLifetime: 60 });
    const response = await ask({ ...CREDENTIALS, client_id: 'desk' });
    const { access_token: token, expires_in: lifetime } = (await response.json()) as {
      access_token: string;
      expires_in: number;
    };
    expect(lifetime).toBe(60);
    expect((await verified(token)).payload).toMatchObject({ sub: 'desk', role: 'clinic_admin', clinic_id: 'c-1' });
    expect(() => sandbox.control.oauth2.addClient({ ...client, tokenLifetime: 86_401 })).toThrow(RangeError);

    sandbox.control.reset();
    expect((await ask({ ...CREDENTIALS, client_id: 'desk' })).status).toBe(401);
    expect((await ask(CREDENTIALS)).status).toBe(200);
  });

  it('signs expired tokens for tests', async () => {
    const token = await sandbox.control.oauth2.issueToken({
      subject: 'x',
      claims: { role: 'operator' },
      scopes: [],
      lifetime: -60,
    });
    await expect(verified(token)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });

  it('fails on command', async () => {
    sandbox.control.faults.add({ vendor: 'oauth2', kind: 'status', status: 503, times: 1 });
    expect((await ask(CREDENTIALS)).status).toBe(503);
    expect((await ask(CREDENTIALS)).status).toBe(200);
  });
});
