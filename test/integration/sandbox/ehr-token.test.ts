import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EHR_CLIENT_ID, TENANT, createAssertionKey, startSandbox } from './start-sandbox.ts';
import { fhirUrl, requestToken, signAssertion, tokenUrlOf } from './ehr-access.ts';
import type { AssertionChanges } from './ehr-access.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const es384 = createAssertionKey('ES384', 'key-1');
const rs384 = createAssertionKey('RS384', 'key-2');
const stranger = createAssertionKey('ES384', 'key-1');

let now = () => new Date();
let sandbox: Sandbox;
let tokenUrl: string;

beforeAll(async () => {
  sandbox = await startSandbox({
    clock: () => now(),
    ehr: {
      clients: [
        {
          clientId: EHR_CLIENT_ID,
          jwks: { keys: [es384.publicJwk, rs384.publicJwk] },
          scopes: ['system/Appointment.cruds', 'system/Patient.rs'],
        },
      ],
      tenants: [TENANT, 'valley'],
    },
  });
  tokenUrl = await tokenUrlOf(sandbox);
});

beforeEach(() => {
  now = () => new Date();
});

afterEach(() => sandbox.control.reset());

afterAll(async () => sandbox.close());

function search(token: string, tenant = TENANT, type = 'Appointment'): Promise<Response> {
  return fetch(`${fhirUrl(sandbox, tenant)}/${type}`, { headers: { authorization: `Bearer ${token}` } });
}

async function grantedToken(
  scope = 'system/Appointment.rs',
): Promise<{ access_token: string; scope: string; expires_in: number }> {
  const response = await requestToken(tokenUrl, await signAssertion(es384, tokenUrl), scope);
  expect(response.status).toBe(200);
  return (await response.json()) as { access_token: string; scope: string; expires_in: number };
}

describe('SMART Backend Services', () => {
  it.each([
    ['ES384', es384],
    ['RS384', rs384],
  ])('grants a token to an assertion signed with %s', async (_alg, key) => {
    const response = await requestToken(tokenUrl, await signAssertion(key, tokenUrl), 'system/Appointment.cruds');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as { access_token: string };
    expect(body).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'system/Appointment.cruds' });
    expect((await search(body.access_token)).status).toBe(200);
  });

  it.each<[string, AssertionChanges]>([
    ['for another audience', { claims: { aud: 'https://elsewhere.example/token' } }],
    ['of another issuer', { claims: { iss: 'somebody' } }],
    ['whose subject is not the client', { claims: { sub: 'somebody' } }],
    ['that has expired', { lifetime: -10 }],
    ['that lives longer than five minutes', { lifetime: 400 }],
    ['without a jti', { claims: { jti: undefined } }],
    ['without a kid', { header: { kid: undefined } }],
    ['with an unknown kid', { header: { kid: 'key-9' } }],
  ])('refuses an assertion %s', async (_what, changes) => {
    const response = await requestToken(tokenUrl, await signAssertion(es384, tokenUrl, changes));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: 'invalid_client' });
  });

  it('refuses an assertion signed with somebody else’s key', async () => {
    const response = await requestToken(tokenUrl, await signAssertion(stranger, tokenUrl));
    expect(await response.json()).toMatchObject({ error: 'invalid_client' });
  });

  it('refuses an assertion that was used before', async () => {
    const assertion = await signAssertion(es384, tokenUrl);
    expect((await requestToken(tokenUrl, assertion, 'system/Patient.rs')).status).toBe(200);
    const replayed = await requestToken(tokenUrl, assertion, 'system/Patient.rs');
    expect(replayed.status).toBe(401);
    expect(await replayed.json()).toMatchObject({ error: 'invalid_client', error_description: 'jti was used before' });
  });

  it('refuses an assertion that is no JWT', async () => {
    expect((await requestToken(tokenUrl, 'not.a.jwt')).status).toBe(401);
  });

  it('drops scopes that the client may not have, and refuses when none is left', async () => {
    const { scope } = await grantedToken('system/Appointment.rs system/Practitioner.read system/Patient.read');
    expect(scope).toBe('system/Appointment.rs system/Patient.read');
    const refused = await requestToken(tokenUrl, await signAssertion(es384, tokenUrl), 'system/Practitioner.read');
    expect(await refused.json()).toMatchObject({ error: 'invalid_scope' });
  });

  it('fails on command at the token endpoint, apart from the FHIR API', async () => {
    const { access_token: token } = await grantedToken();
    sandbox.control.faults.add({ vendor: 'oauth2', match: { path: '/ehr/' }, kind: 'status', status: 503 });
    expect((await requestToken(tokenUrl, await signAssertion(es384, tokenUrl))).status).toBe(503);
    expect((await search(token)).status).toBe(200);
  });
});

describe('access to the FHIR API', () => {
  it('needs a token of this tenant that has not expired', async () => {
    const { access_token: token } = await grantedToken();
    expect((await search('made-up')).status).toBe(401);
    expect((await search(token, 'valley')).status).toBe(401);
    expect((await search(token)).status).toBe(200);
    now = () => new Date(Date.now() + 301_000);
    const expired = await search(token);
    expect(expired.status).toBe(401);
    expect(await expired.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
  });

  it('needs a scope for the type and the interaction', async () => {
    const { access_token: token } = await grantedToken('system/Appointment.rs');
    expect((await search(token, TENANT, 'Patient')).status).toBe(403);
    const written = await fetch(`${fhirUrl(sandbox)}/Appointment`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
      body: '{}',
    });
    expect(written.status).toBe(403);
  });

  it('describes itself without a token, and knows only tenants that were set up', async () => {
    const metadata = await fetch(`${fhirUrl(sandbox)}/metadata`);
    expect(metadata.headers.get('content-type')).toContain('application/fhir+json');
    expect(await metadata.json()).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
    expect((await fetch(`${fhirUrl(sandbox, 'nowhere')}/metadata`)).status).toBe(404);
  });
});
