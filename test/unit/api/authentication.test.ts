import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { SCOPES, TEST_JWT } from '../../support/tokens.ts';
import { anApi, anAppointment, APPOINTMENT, asPatient, CLINIC, PATIENT, PROVIDER } from './api-under-test.ts';

const seconds = () => Math.floor(Date.now() / 1_000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(header: object, payload: object, secret: string = TEST_JWT.secret): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** The same bytes, written with bits that no decoder reads. */
function withSpareBits(token: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + (digits[digits.indexOf(token.at(-1) ?? '') + 1] ?? '');
}

function signedText(header: string, payload: object): string {
  const input = `${Buffer.from(header).toString('base64url')}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', TEST_JWT.secret).update(input).digest('base64url')}`;
}

const HEADER = { alg: 'HS256', typ: 'JWT' };
const payload = (changes: Record<string, unknown> = {}) => ({
  iss: TEST_JWT.issuer,
  aud: TEST_JWT.audience,
  sub: PATIENT,
  role: 'patient',
  patient_id: PATIENT,
  scope: SCOPES.patient,
  iat: seconds(),
  exp: seconds() + 3_600,
  ...changes,
});
const without = (claim: string) => Object.fromEntries(Object.entries(payload()).filter(([name]) => name !== claim));

describe('a token', () => {
  let api: FastifyInstance;
  beforeAll(async () => {
    api = await anApi({ reads: { appointment: () => Promise.resolve(anAppointment()) } });
  });
  afterAll(() => api.close());

  const call = async (authorization?: string) => {
    const response = await api.inject({
      url: `/api/v1/appointments/${APPOINTMENT}`,
      headers: authorization === undefined ? {} : { authorization },
    });
    return { status: response.statusCode, code: response.json<{ code?: string }>().code, headers: response.headers };
  };

  it('opens the door when the OAuth2 service issued it for this API', async () => {
    expect((await call((await asPatient()).authorization)).status).toBe(200);
    expect((await call(`bearer ${signed(HEADER, payload())}`)).status).toBe(200);
    // RFC 9110 §11.4 allows several spaces.
    expect((await call(`Bearer   ${signed(HEADER, payload())}`)).status).toBe(200);
    expect((await call(`Bearer ${signed({ alg: 'HS256', typ: 'at+jwt' }, payload())}`)).status).toBe(200);
    expect((await call(`Bearer ${signed({ alg: 'HS256' }, payload())}`)).status).toBe(200);
    // It chooses nothing: there is one key.
    expect((await call(`Bearer ${signed({ ...HEADER, kid: 'key-1' }, payload())}`)).status).toBe(200);
    expect((await call(`Bearer ${signed(HEADER, payload({ aud: ['other', TEST_JWT.audience] }))}`)).status).toBe(200);
    expect((await call(`Bearer ${signed(HEADER, payload({ patient_id: PATIENT.toUpperCase() }))}`)).status).toBe(200);
  });

  it('is asked for, and nothing is called wrong, when there is none (RFC 6750 §3.1)', async () => {
    for (const authorization of [undefined, '', 'Basic dXNlcjpwYXNz', 'Digest username="x"', `BearerX ${good}`]) {
      const answer = await call(authorization);
      expect(answer).toMatchObject({ status: 401, code: 'token_missing' });
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="mediconnect"');
    }
  });

  it('is refused once it has expired, give or take the clocks', async () => {
    const expired = payload({ iat: seconds() - 7_200, exp: seconds() - 60 });
    const answer = await call(`Bearer ${signed(HEADER, expired)}`);
    expect(answer).toMatchObject({ status: 401, code: 'token_expired' });
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    const justExpired = payload({ iat: seconds() - 3_600, exp: seconds() - 10 });
    expect((await call(`Bearer ${signed(HEADER, justExpired)}`)).status).toBe(200);
  });

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const rs256Input = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(payload())}`;
  const good = signed(HEADER, payload());
  const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
  const attacks: Record<string, string> = {
    'not signed by us': signed(HEADER, payload(), 'another-secret-of-at-least-32-characters'),
    'of another issuer': signed(HEADER, payload({ iss: 'https://elsewhere.test' })),
    'for another audience': signed(HEADER, payload({ aud: 'other-api' })),
    'not signed at all': `${encode({ alg: 'none', typ: 'JWT' })}.${goodPayload}.`,
    'none in capitals': `${encode({ alg: 'NONE' })}.${goodPayload}.`,
    'stripped of its signature': `${goodHeader}.${goodPayload}.`,
    'signed with another algorithm': `${rs256Input}.${sign('sha256', Buffer.from(rs256Input), privateKey).toString('base64url')}`,
    'of HS512': `${encode({ alg: 'HS512', typ: 'JWT' })}.${goodPayload}.${createHmac('sha512', TEST_JWT.secret)
      .update(`${encode({ alg: 'HS512', typ: 'JWT' })}.${goodPayload}`)
      .digest('base64url')}`,
    'changed after signing': `${goodHeader}.${encode(payload({ scope: 'ehr:sync' }))}.${goodSignature}`,
    'one bit off': `${goodHeader}.${goodPayload}.${goodSignature.slice(0, -4)}${goodSignature.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`,
    'with a key id that is no text': signed({ ...HEADER, kid: 7 }, payload()),
    'with spare bits in its signature': withSpareBits(good),
    'with an algorithm twice': signedText('{"alg":"none","alg":"HS256"}', payload()),
    'with an algorithm twice, once in escapes': signedText('{"\\u0061lg":"none","alg":"HS256"}', payload()),
    'without a role': signed(HEADER, without('role')),
    'of a clinic without a role': signed(HEADER, { ...without('role'), clinic_id: CLINIC, sub: 'desk' }),
    'with a key of its own': signed({ ...HEADER, jwk: { kty: 'oct', k: 'AA' } }, payload()),
    'with a key address': signed({ ...HEADER, jku: 'https://elsewhere.test/keys' }, payload()),
    'with a certificate address': signed({ ...HEADER, x5u: 'https://elsewhere.test/cert' }, payload()),
    'with something critical': signed({ ...HEADER, crit: ['b64'], b64: false }, payload()),
    'with an empty crit': signed({ ...HEADER, crit: [] }, payload()),
    'of another type': signed({ alg: 'HS256', typ: 'dpop+jwt' }, payload()),
    'with a type that is no text': signed({ alg: 'HS256', typ: 7 }, payload()),
    'that lives longer than a day': signed(HEADER, payload({ exp: seconds() + 86_401 + 1 })),
    'issued in the future': signed(HEADER, payload({ iat: seconds() + 120 })),
    'not valid yet': signed(HEADER, payload({ nbf: seconds() + 120 })),
    'without an expiry': signed(HEADER, without('exp')),
    'without a time of issue': signed(HEADER, without('iat')),
    'without a subject': signed(HEADER, without('sub')),
    'without an issuer': signed(HEADER, without('iss')),
    'without an audience': signed(HEADER, without('aud')),
    'with an expiry in words': signed(HEADER, payload({ exp: 'tomorrow' })),
    'with a subject that is no text': signed(HEADER, payload({ sub: 7 })),
    'with a subject of many lines': signed(HEADER, payload({ sub: 'a\nb' })),
    'with a role we do not know': signed(HEADER, payload({ role: 'root' })),
    'of a patient who is nobody': signed(HEADER, without('patient_id')),
    'with a patient id that is no id': signed(HEADER, payload({ patient_id: "' or true --" })),
    'of a provider without a clinic': signed(HEADER, payload({ role: 'provider', provider_id: PROVIDER })),
    'of an administrator without a clinic': signed(HEADER, payload({ role: 'clinic_admin' })),
    'with scopes in a list': signed(HEADER, payload({ scope: ['appointments:read'] })),
    'that is no token': 'abc',
    'that is no JSON': `${Buffer.from('{').toString('base64url')}.${goodPayload}.${goodSignature}`,
    'whose header is a list': signed([], payload()),
    'whose payload is a text': `${goodHeader}.${encode('x')}.${goodSignature}`,
    'in five parts': `${good}.a.b`,
    'that is far too long': signed(HEADER, payload({ padding: 'x'.repeat(5_000) })),
  };
  it.each(Object.keys(attacks))('is refused when it is one %s', async (name) => {
    const answer = await call(`Bearer ${attacks[name] ?? ''}`);
    expect(answer).toMatchObject({ status: 401, code: 'token_invalid' });
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  it.each(['Bearer', 'Bearer ', `Bearer\t${good}`, `Bearer ${good} ${good}`, `Bearer ${good},${good}`])(
    'is refused when the header says %j',
    async (authorization) => {
      expect(await call(authorization)).toMatchObject({ status: 401, code: 'token_invalid' });
    },
  );
});
