import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { createTokenSource, grantsAll, type TokenSourceOptions } from '../../../src/integrations/fhir/smart-token.ts';
import type { EhrFailure } from '../../../src/integrations/fhir/failure.ts';
import { startScriptedServer, type Arrived, type Scripted, type ScriptedServer } from './scripted-server.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const credentials = {
  clientId: 'mediconnect',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  keyId: 'key-1',
};
const SCOPE = 'system/Appointment.crus';

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A token service that grants token-1, token-2 … for five minutes, unless it is told to answer otherwise. */
async function tokenService(given: {
  readonly answer?: (request: Arrived, count: number) => Scripted | undefined;
  readonly configuration?: (url: string) => Scripted;
  readonly options?: Partial<TokenSourceOptions>;
}) {
  let granted = 0;
  let now = Date.parse('2027-03-15T09:00:00Z');
  const server = await startScriptedServer((request) => {
    const url = `http://${request.headers.host ?? ''}`;
    if (request.url.endsWith('/.well-known/smart-configuration')) {
      return given.configuration?.(url) ?? { body: { token_endpoint: `${url}/token` } };
    }
    granted += 1;
    return (
      given.answer?.(request, granted) ?? {
        headers: { 'content-type': 'application/json' },
        body: { access_token: `token-${granted}`, token_type: 'bearer', expires_in: 300, scope: SCOPE },
      }
    );
  });
  servers.push(server);
  const tokens = createTokenSource({
    baseUrl: `${server.url}/fhir`,
    credentials,
    scope: SCOPE,
    now: () => new Date(now),
    timeoutMs: 20_000,
    ...given.options,
  });
  return {
    tokens,
    server,
    pass: (seconds: number) => (now += seconds * 1_000),
    asked: () => server.arrived.filter((request) => request.url === '/token').length,
  };
}

function failureOf(work: Promise<unknown>): Promise<EhrFailure> {
  return work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => (error as { failure: EhrFailure }).failure,
  );
}

describe('a token for an EHR', () => {
  it('is asked for as SMART Backend Services wants it', async () => {
    const { tokens, server } = await tokenService({});
    expect(await tokens.token()).toBe('token-1');
    expect(server.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /fhir/.well-known/smart-configuration',
      'POST /token',
    ]);
    const form = new URLSearchParams(server.arrived[1]?.body);
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'client_credentials',
      scope: SCOPE,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const assertion = form.get('client_assertion') ?? '';
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'ES384', kid: 'key-1' });
    const { payload } = await jwtVerify(assertion, publicKey, {
      audience: `${server.url}/token`,
      issuer: 'mediconnect',
      subject: 'mediconnect',
      requiredClaims: ['jti', 'exp'],
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300);
  });

  it('is kept until four fifths of its life have passed', async () => {
    const { tokens, pass, asked } = await tokenService({});
    expect(await tokens.token()).toBe('token-1');
    pass(239);
    expect(await tokens.token()).toBe('token-1');
    pass(1);
    expect(await tokens.token()).toBe('token-2');
    expect(asked()).toBe(2);
  });

  it('is taken to live for five minutes when the server does not say', async () => {
    const { tokens, pass } = await tokenService({
      answer: (_request, count) => ({
        headers: { 'content-type': 'application/json' },
        body: { access_token: `token-${count}`, token_type: 'bearer' },
      }),
    });
    await tokens.token();
    pass(239);
    expect(await tokens.token()).toBe('token-1');
    pass(1);
    expect(await tokens.token()).toBe('token-2');
  });

  it('is asked for once, however many want it', async () => {
    const { tokens, server } = await tokenService({});
    const all = await Promise.all(Array.from({ length: 10 }, () => tokens.token()));
    expect(new Set(all)).toEqual(new Set(['token-1']));
    expect(server.arrived).toHaveLength(2);
  });

  it('is replaced once, however many have it refused', async () => {
    const { tokens, asked } = await tokenService({});
    const refused = await tokens.token();
    const all = await Promise.all(Array.from({ length: 5 }, () => tokens.replace(refused)));
    expect(new Set(all)).toEqual(new Set(['token-2']));
    expect(await tokens.replace(refused)).toBe('token-2');
    expect(asked()).toBe(2);
  });

  it('is no use without everything that was asked for', async () => {
    const { tokens } = await tokenService({
      answer: () => ({
        headers: { 'content-type': 'application/json' },
        body: { access_token: 'x', token_type: 'bearer', expires_in: 300, scope: 'system/Appointment.rs' },
      }),
    });
    expect(await failureOf(tokens.token())).toMatchObject({
      kind: 'permanent',
      scope: 'server',
      reason: 'scope_not_granted',
    });
  });

  it('that is refused is a matter for a person', async () => {
    const { tokens } = await tokenService({
      answer: () => ({
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: { error: 'invalid_client', error_description: 'no such key' },
      }),
    });
    expect(await failureOf(tokens.token())).toEqual({
      kind: 'permanent',
      scope: 'server',
      mayHaveHappened: false,
      status: 400,
      reason: 'token http_400 invalid_client',
    });
  });

  it('that cannot be had now can be had later', async () => {
    const { tokens } = await tokenService({
      answer: (_request, count) =>
        count === 1 ? { status: 503, headers: { 'retry-after': '5' }, body: 'busy' } : undefined,
    });
    expect(await failureOf(tokens.token())).toMatchObject({ kind: 'transient', scope: 'server', retryAfterMs: 5_000 });
    expect(await tokens.token()).toBe('token-2');
  });

  it('is looked for again when the EHR was away at first', async () => {
    let isAway = true;
    const { tokens } = await tokenService({
      configuration: (url) =>
        isAway ? { status: 502, body: '<html></html>' } : { body: { token_endpoint: `${url}/token` } },
    });
    expect(await failureOf(tokens.token())).toMatchObject({ kind: 'transient', scope: 'server' });
    isAway = false;
    expect(await tokens.token()).toBe('token-1');
  });

  it.each([
    ['a configuration without a token endpoint', { body: {} }],
    ['no configuration at all', { status: 404 }],
  ])('is not to be had with %s', async (_name, configuration) => {
    const { tokens } = await tokenService({ configuration: () => configuration });
    expect(await failureOf(tokens.token())).toMatchObject({ kind: 'permanent', scope: 'server' });
  });

  it('needs a key that is one', async () => {
    const { tokens } = await tokenService({ options: { credentials: { ...credentials, privateKey: 'bm8ga2V5' } } });
    expect(await failureOf(tokens.token())).toMatchObject({ kind: 'permanent', reason: 'private_key_unusable' });
  });

  it('is not waited for too long', async () => {
    const { tokens } = await tokenService({ answer: () => 'hang', options: { timeoutMs: 200 } });
    expect(await failureOf(tokens.token())).toMatchObject({ kind: 'transient', reason: 'timeout' });
  });
});

describe('the scopes that were granted', () => {
  it.each([
    ['system/Appointment.crus', 'system/Appointment.crus', true],
    ['system/Appointment.cruds', 'system/Appointment.crus', true],
    ['system/*.cruds', 'system/Appointment.crus', true],
    ['system/Appointment.rs system/Appointment.cu', 'system/Appointment.crus', true],
    ['system/Appointment.read system/Appointment.write', 'system/Appointment.cruds', true],
    ['system/Appointment.*', 'system/Appointment.read system/Appointment.write', true],
    ['system/Appointment.rs', 'system/Appointment.crus', false],
    ['system/Patient.cruds', 'system/Appointment.r', false],
    ['', 'system/Appointment.r', false],
    ['launch', 'launch', true],
    ['openid', 'launch', false],
  ])('%p for %p: %p', (granted, asked, expected) => {
    expect(grantsAll(granted, asked)).toBe(expected);
  });
});
