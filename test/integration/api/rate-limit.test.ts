import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createRedis } from '../../../src/integrations/redis/redis.ts';
import { createRedisWindow } from '../../../src/integrations/redis/sliding-window.ts';
import { aPatient } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { testServers } from '../../support/servers.ts';
import { asPatient, startApi, type RunningApi } from './running-api.ts';
import { startTcpProxy } from './tcp-proxy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const statusesOf = async (api: RunningApi, headers: { authorization: string }, requests: number) => {
  const answers = await Promise.all(
    Array.from({ length: requests }, () => api.app.inject({ url: '/api/v1/appointments', headers })),
  );
  const by = (status: number) => answers.filter(({ statusCode }) => statusCode === status);
  return { ok: by(200).length, refused: by(429), other: answers.length - by(200).length - by(429).length };
};

describe('a hundred requests a minute', () => {
  it('are let through exactly, counted over two instances, and the rest is 429 with Retry-After', async () => {
    const ratePrefix = `test:${randomUUID()}:`;
    // However busy the machine is: what is asked here is whether the counting is exact.
    const start = () => startApi(database.app, { limit: 100, ratePrefix, sharedMs: 10_000 });
    const apis = [await start(), await start()] as const;
    const headers = await asPatient(await aPatient(database.owner));
    const results = await Promise.all(apis.map((api) => statusesOf(api, headers, 75)));
    expect(results.reduce((sum, { ok }) => sum + ok, 0)).toBe(100);
    expect(results.reduce((sum, { other }) => sum + other, 0)).toBe(0);
    for (const response of results.flatMap(({ refused }) => refused)) {
      expect(response.json()).toMatchObject({ code: 'rate_limited', status: 429 });
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(60);
      expect(response.headers['ratelimit']).toMatch(/^"user";r=0;t=\d+$/);
    }
    const another = await statusesOf(apis[0], await asPatient(await aPatient(database.owner)), 1);
    expect(another.ok).toBe(1);
    await Promise.all(apis.map((api) => api.close()));
  });

  it('are let through exactly by one instance while Redis is away', async () => {
    const redis = await redisBehindProxy();
    redis.proxy.cut();
    const api = await startApi(database.app, { limit: 100, redisUrl: redis.url });
    const result = await statusesOf(api, await asPatient(await aPatient(database.owner)), 130);
    expect({ ...result, refused: result.refused.length }).toEqual({ ok: 100, refused: 30, other: 0 });
    expect((await api.app.inject('/readyz')).json()).toMatchObject({ status: 'ready', reported: { redis: 'failed' } });
    redis.proxy.restore();
    await eventually(async () =>
      expect((await api.app.inject('/readyz')).json()).toMatchObject({ reported: { redis: 'ok' } }),
    );
    await api.close();
    await redis.proxy.close();
  });

  it('are decided in time, and exactly, when Redis freezes', async () => {
    const redis = await redisBehindProxy();
    const api = await startApi(database.app, { limit: 20, redisUrl: redis.url });
    const headers = await asPatient(await aPatient(database.owner));
    await eventually(async () => expect(await api.redis.ping()).toBe('PONG'));
    expect((await statusesOf(api, headers, 5)).ok).toBe(5);
    redis.proxy.freeze();
    const before = performance.now();
    const result = await statusesOf(api, headers, 25);
    expect({ ...result, refused: result.refused.length }).toEqual({ ok: 15, refused: 10, other: 0 });
    // All share the one time-out of 100 ms; a queue of them would take longer.
    expect(performance.now() - before).toBeLessThan(2_000);
    redis.proxy.restore();
    await eventually(async () => expect(await api.redis.ping()).toBe('PONG'));
    await api.close();
    await redis.proxy.close();
  });
});

async function redisBehindProxy() {
  const target = new URL(testServers().redisUrl);
  const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
  // The password stays.
  target.host = `127.0.0.1:${proxy.port}`;
  return { proxy, url: target.href };
}

describe('the window in Redis', () => {
  it('slides: room comes back one request at a time, and never more than the limit in any window, over two instances', async () => {
    const prefix = `test:${randomUUID()}:`;
    const instances = ['test-window-a', 'test-window-b'].map((name) => {
      const redis = createRedis({ url: testServers().redisUrl, name });
      return { redis, take: createRedisWindow(redis, { limit: 3, windowMs: 400 }, prefix) };
    });
    for (const { redis } of instances) await eventually(async () => expect(await redis.ping()).toBe('PONG'));
    const through: { from: number; to: number }[] = [];
    let attempts = 0;
    // Five windows' worth, however long that takes: a slow machine asks less often.
    while (through.length < 15) {
      const from = performance.now();
      const instance = instances[attempts % 2];
      attempts += 1;
      if ((await instance?.take('user:a'))?.allowed === true) through.push({ from, to: performance.now() });
    }
    expect(attempts).toBeGreaterThan(through.length);
    through.forEach((first, index) => {
      const fourth = through[index + 3];
      // Each was counted somewhere between the call and the answer.
      if (fourth !== undefined) expect(fourth.to - first.from).toBeGreaterThanOrEqual(400);
    });
    for (const { redis } of instances) redis.disconnect();
  });

  it('forgets a user who is gone', async () => {
    const redis = createRedis({ url: testServers().redisUrl, name: 'test-window' });
    await eventually(async () => expect(await redis.ping()).toBe('PONG'));
    const prefix = `test:${randomUUID()}:`;
    await createRedisWindow(redis, { limit: 3, windowMs: 2_000 }, prefix)('user:a');
    expect(await redis.exists(`${prefix}user:a`)).toBe(1);
    await eventually(async () => expect(await redis.exists(`${prefix}user:a`)).toBe(0));
    redis.disconnect();
  });
});

describe('a connection to Redis', () => {
  it('that is cut under a request leaves no timer behind, which would hold the process and then cut the next one', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const { proxy, url } = await redisBehindProxy();
    const before = timers();
    const redis = createRedis({ url, name: 'test-cut' });
    const isThere = () => eventually(async () => expect(await redis.ping()).toBe('PONG'));
    await isThere();
    proxy.freeze();
    const lost = redis.ping();
    proxy.cut();
    await expect(lost).rejects.toThrow();
    proxy.restore();
    await isThere();
    await eventually(() => expect(timers()).toBeLessThanOrEqual(before), { timeoutMs: 2_000 });
    redis.disconnect();
    await proxy.close();
  });
});
