import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { requireOperation } from '../../../src/api/caller.ts';
import { createLogger } from '../../../src/logger.ts';
import { anApi, anAppointment, APPOINTMENT, asPatient, PATIENT } from './api-under-test.ts';

const url = `/api/v1/appointments/${APPOINTMENT}`;

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

  it('echoes a request id that is harmless, and makes one up otherwise', async () => {
    const idFor = async (given: string) =>
      (await api.inject({ url: '/livez', headers: { 'x-request-id': given } })).headers['x-request-id'];
    expect(await idFor('trace-2030.01_A')).toBe('trace-2030.01_A');
    for (const strange of [
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
    expect(keys.at(-1)).toBe(`user:${PATIENT}`);
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

  it('counts nothing for health, documentation and problems', async () => {
    const before = keys.length;
    for (const open of ['/livez', '/readyz', '/openapi.json', '/docs', '/problems']) await api.inject(open);
    expect(keys).toHaveLength(before);
  });

  it('is logged with the request id, the route’s pattern and ids alone', async () => {
    await api.inject({
      url: `${url}?x=Jane%20Doe`,
      headers: { ...(await asPatient()), 'x-request-id': 'a-request-to-log', 'user-agent': 'Jane Doe’s phone' },
    });
    const line = logged.find(({ requestId }) => requestId === 'a-request-to-log');
    expect(line).toMatchObject({
      role: 'api',
      event: 'request',
      method: 'GET',
      route: '/api/v1/appointments/:appointmentId',
      statusCode: 200,
      caller: PATIENT,
    });
    expect(JSON.stringify(logged)).not.toMatch(/Jane|Bearer|ABC234/);
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

  it('answers in bounded time when a check hangs', async () => {
    expect(await ready({ readiness: { isDatabaseUp: () => new Promise<boolean>(() => undefined) } })).toMatchObject({
      status: 'not_ready',
      checks: { database: 'failed' },
    });
  });
});
