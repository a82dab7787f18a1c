import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { requireOperation } from '../../../src/api/caller.ts';
import { createTrust } from '../../../src/api/trusted-proxies.ts';
import { createLogger } from '../../../src/logger.ts';
import { anApi, anAppointment, APPOINTMENT, asPatient, PATIENT } from './api-under-test.ts';

const url = `/api/v1/appointments/${APPOINTMENT}`;

const ASKED = '01980000-0000-7000-8000-00000000ab01';

describe('every answer', () => {
  let api: FastifyInstance;
  const logged: Record<string, unknown>[] = [];
  const keys: string[] = [];
  let room = true;
  beforeAll(async () => {
    api = await anApi({
      logger: createLogger(
        { level: 'info', role: 'api' },
        { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
      ),
      reads: { appointment: () => Promise.resolve(anAppointment()) },
      limiter: (key) => {
        keys.push(key);
        return Promise.resolve({ allowed: room, remaining: room ? 41 : 0, roomInMs: 12_345 });
      },
    });
  });
  afterAll(() => api.close());

  it('carries the security headers and is never stored', async () => {
    const { headers } = await api.inject({ url, headers: await asPatient() });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
    expect(headers['strict-transport-security']).toMatch(/max-age=\d+/);
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('echoes a request id that is a UUID, which says nothing about anybody, and makes one up otherwise', async () => {
    const idFor = async (given: string) =>
      (await api.inject({ url: '/livez', headers: { 'x-request-id': given } })).headers['x-request-id'];
    expect(await idFor(ASKED)).toBe(ASKED);
    expect(await idFor(ASKED.toUpperCase())).toBe(ASKED);
    for (const strange of [
      'jane.doe-1980',
      'short',
      'x'.repeat(65),
      '<script>alert(1)</script>',
      'a b c d e f g h',
      '-leading-dash',
      'ümlaut-ümlaut',
    ]) {
      expect(await idFor(strange)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('tells the user how many requests are left', async () => {
    const { headers } = await api.inject({ url, headers: await asPatient() });
    expect(headers['ratelimit-policy']).toBe('"user";q=100;w=60');
    expect(headers['ratelimit']).toBe('"user";r=41;t=13');
    expect(keys.at(-1)).toMatch(/^user:[0-9a-f]{32}$/);
    expect(keys.join()).not.toContain(PATIENT);
  });

  it('is 429 with Retry-After for a user who came too often, and for an address without a token', async () => {
    room = false;
    const user = await api.inject({ url, headers: await asPatient() });
    expect(user.statusCode).toBe(429);
    expect(user.json()).toMatchObject({ code: 'rate_limited' });
    expect(user.headers['retry-after']).toBe('13');
    const stranger = await api.inject({ url });
    expect(stranger.statusCode).toBe(429);
    expect(keys.at(-1)).toBe('address:127.0.0.1');
    // Whoever sent a token must learn that it has expired.
    const expired = await api.inject({ url, headers: { authorization: 'Bearer a.b.c' } });
    expect({ status: expired.statusCode, ...expired.json<object>() }).toMatchObject({
      status: 401,
      code: 'token_invalid',
    });
    expect(keys.at(-1)).toBe('address:127.0.0.1');
    room = true;
    expect((await api.inject({ url })).statusCode).toBe(401);
  });

  it('is 403 for a caller who may not, before anything of the request is read', async () => {
    const refused = await api.inject({
      method: 'POST',
      url: '/api/v1/ehr-syncs',
      payload: '{',
      headers: await asPatient(),
    });
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'forbidden' });
    expect(refused.headers['www-authenticate']).toContain('error="insufficient_scope", scope="ehr:sync"');
  });

  it('counts nothing for liveness, documentation and problems; readiness and what is unknown it counts by address', async () => {
    const before = keys.length;
    for (const open of ['/livez', '/openapi.json', '/docs', '/problems']) await api.inject(open);
    expect(keys).toHaveLength(before);
    for (const counted of ['/readyz', '/nothing', '/api/v1/nothing']) await api.inject(counted);
    expect(keys.slice(before)).toEqual(Array(3).fill('address:127.0.0.1'));
  });

  it('is logged with the request id, the route’s pattern and ids alone', async () => {
    await api.inject({
      url: `${url}?x=Jane%20Doe`,
      headers: {
        ...(await asPatient()),
        'x-request-id': '01980000-0000-7000-8000-000000000011',
        'user-agent': 'Jane Doe’s phone',
      },
    });
    const line = logged.find(({ requestId }) => requestId === '01980000-0000-7000-8000-000000000011');
    expect(line).toMatchObject({
      role: 'api',
      event: 'request',
      method: 'GET',
      route: '/api/v1/appointments/:appointmentId',
      statusCode: 200,
      caller: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
    });
    expect(JSON.stringify(logged)).not.toMatch(/Jane|Bearer|ABC234/);
    expect(JSON.stringify(logged)).not.toContain(PATIENT);
  });

  it('to HEAD is that to GET without its body', async () => {
    const response = await api.inject({ method: 'HEAD', url, headers: await asPatient() });
    expect(response.statusCode).toBe(200);
    expect(response.headers['etag']).toBe('"3"');
    expect(response.body).toBe('');
  });

  it('to what is no HTTP is a problem document as well', async () => {
    const address = await api.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write('NONSENSE\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('application/problem+json');
  });

  it.each([
    ['without Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['with an expectation nobody meets', 'GET /livez HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n', 417],
  ])('to a request %s is a problem document too', async (_what, text, status) => {
    const own = await anApi();
    const address = await own.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (some: string) => (answer += some));
    socket.write(text);
    await once(socket, 'close');
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    await own.close();
  });

  it.each(['/docs/static/%00', '/docs/static/..', '/docs/static/%5c..%5cx', '/docs/static/nothing.js'])(
    'to %s is 404',
    async (strange) => {
      const own = await anApi();
      const address = await own.listen({ host: '127.0.0.1', port: 0 });
      const socket = connect(Number(new URL(address).port), '127.0.0.1');
      let answer = '';
      socket.setEncoding('utf8').on('data', (some: string) => (answer += some));
      // As it stands: a client that tidies paths up would never send some of these.
      socket.write(`GET ${strange} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
      expect(answer).toContain('"code":"not_found"');
      await own.close();
    },
  );

  it('counts strangers behind a proxy that is trusted by their own address, and behind another by the proxy’s', async () => {
    const counted: string[] = [];
    const behind = await anApi({
      trustsProxy: createTrust(['127.0.0.0/8', '2001:db8::/32']),
      limiter: (key) => {
        counted.push(key);
        return Promise.resolve({ allowed: true, remaining: 9, roomInMs: 1 });
      },
    });
    const from = (remoteAddress: string, forwarded: string) =>
      behind.inject({ url, remoteAddress, headers: { 'x-forwarded-for': forwarded } });
    await from('127.0.0.1', '203.0.113.7');
    await from('2001:db8::1', '203.0.113.8');
    await from('203.0.113.1', '203.0.113.9');
    // What a stranger wrote before the proxy did counts for nothing.
    await from('127.0.0.1', '198.51.100.1, 203.0.113.10');
    expect(counted).toEqual(['203.0.113.7', '203.0.113.8', '203.0.113.1', '203.0.113.10'].map((ip) => `address:${ip}`));
    await behind.close();
  });

  it('has time limits behind it', () => {
    expect(api.initialConfig).toMatchObject({
      requestTimeout: 15_000,
      connectionTimeout: 90_000,
      handlerTimeout: 20_000,
      bodyLimit: 65_536,
    });
    expect(api.server.headersTimeout).toBe(10_000);
  });
});

it('is not built with a route that asks for a token and does not say who may', () => {
  const app = Fastify();
  app.addHook('onRoute', requireOperation);
  app.get('/declared', { config: { operation: 'readAppointment' } }, () => ({}));
  expect(() => app.get('/forgotten', () => ({}))).toThrow('GET /forgotten declares no config.operation');
});

describe('what may be kept', () => {
  it('is the document and the problems, asked for again by their ETag; nothing else is', async () => {
    const api = await anApi();
    for (const url of ['/openapi.json', '/problems', '/problems/slot_taken']) {
      const first = await api.inject(url);
      expect({ url, status: first.statusCode }).toEqual({ url, status: 200 });
      expect(first.headers['cache-control']).toBe('public, max-age=300');
      const etag = String(first.headers['etag']);
      for (const known of [etag, `W/${etag}`, '*', `"another", ${etag}`, `W/${etag},"another"`]) {
        const again = await api.inject({ url, headers: { 'if-none-match': known } });
        expect({ url, status: again.statusCode, body: again.body }).toEqual({ url, status: 304, body: '' });
        expect(again.headers).toMatchObject({ etag, 'cache-control': 'public, max-age=300' });
      }
      for (const unknown of ['"another"', '"another", "yet another"', etag.slice(1, -1), '']) {
        expect((await api.inject({ url, headers: { 'if-none-match': unknown } })).statusCode).toBe(200);
      }
    }
    expect((await api.inject({ url: '/problems/nothing', headers: { 'if-none-match': '*' } })).statusCode).toBe(404);
    for (const url of ['/livez', '/problems/nothing', '/api/v1/appointments', '/api/v1/nothing']) {
      expect((await api.inject(url)).headers['cache-control']).toBe('no-store');
    }
    await api.close();
  });
});

describe('health', () => {
  const ready = async (given: Parameters<typeof anApi>[0]) => {
    const api = await anApi(given);
    const response = await api.inject('/readyz');
    await api.close();
    return { status: response.statusCode, ...response.json<object>() };
  };

  it('is ready with PostgreSQL and its migrations, whatever Redis does', async () => {
    expect(await ready({ readiness: { reported: { redis: () => Promise.reject(new Error('away')) } } })).toEqual({
      status: 'ready',
      checks: { database: 'ok', migrations: 'ok', draining: false },
      reported: { redis: 'failed' },
    });
  });

  it('is not ready without PostgreSQL, with a migration to run, or when it is about to stop', async () => {
    expect(await ready({ readiness: { isDatabaseUp: () => Promise.reject(new Error('away')) } })).toMatchObject({
      status: 'not_ready',
      checks: { database: 'failed' },
    });
    expect(await ready({ readiness: { pendingMigrations: () => Promise.resolve(['0011']) } })).toMatchObject({
      status: 'not_ready',
      checks: { migrations: 'failed' },
    });
    expect(await ready({ readiness: { isDraining: () => true } })).toMatchObject({
      status: 'not_ready',
      checks: { draining: true },
    });
  });

  it('stays ready while PostgreSQL fails to answer once or twice, and is not with the third time in a row', async () => {
    let up = true;
    const api = await anApi({ readiness: { isDatabaseUp: () => Promise.resolve(up) } });
    const status = async () => (await api.inject('/readyz')).statusCode;
    expect(await status()).toBe(200);
    up = false;
    expect([await status(), await status(), await status()]).toEqual([200, 200, 503]);
    up = true;
    expect(await status()).toBe(200);
    await api.close();
  });

  it('answers in bounded time when a check hangs', async () => {
    expect(await ready({ readiness: { isDatabaseUp: () => new Promise<boolean>(() => undefined) } })).toMatchObject({
      status: 'not_ready',
      checks: { database: 'failed' },
    });
  });
});
