import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startProcess } from '../../../scripts/local/process.ts';
import { drawSecrets } from '../../../scripts/local/secrets.ts';
import { createTemporalNamespace } from '../../../scripts/stack/index.mjs';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { testServers } from '../../support/servers.ts';

/** Its own, so that its worker takes no other test's work. */
const namespace = `role-${randomUUID()}`;
let database: TestDatabase;
beforeAll(async () => {
  await createTemporalNamespace({ address: testServers().temporalAddress, name: namespace });
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('a role', () => {
  it.each(['api', 'worker', 'notifier'])(
    'tells on its admin port that it lives and is ready, and ends when it is told to: %s',
    async (role) => {
      const { shared, roles } = drawSecrets();
      const servers = testServers();
      const running = await startProcess({
        root: process.cwd(),
        name: role,
        file: `src/main/${role}.ts`,
        env: {
          ...shared,
          ...roles,
          DATABASE_URL: database.urls.appUrl,
          DATABASE_RELAY_URL: database.urls.relayUrl,
          REDIS_URL: servers.redisUrl,
          AMQP_URL: servers.amqpUrl,
          AMQP_QUEUE_PREFIX: `role-${role}-${process.pid}.`,
          TEMPORAL_ADDRESS: servers.temporalAddress,
          TEMPORAL_NAMESPACE: namespace,
          API_PORT: '0',
          ADMIN_PORT: '0',
          DRAIN_MS: '0',
          PUBLIC_URL: 'http://127.0.0.1',
          LOG_LEVEL: 'info',
        },
        isReady: (line) => line['event'] === 'ready',
      });
      const admin = `http://127.0.0.1:${String(running.ready['adminPort'])}`;
      const alive = await fetch(`${admin}/livez`);
      expect({ status: alive.status, body: await alive.json() }).toEqual({ status: 200, body: { status: 'alive' } });
      const ready = await fetch(`${admin}/readyz`);
      expect({ status: ready.status, body: await ready.json() }).toMatchObject({
        status: 200,
        body: { status: 'ready', checks: { database: 'ok', migrations: 'ok', draining: false } },
      });
      expect((await fetch(`${admin}/metrics`)).status).toBe(404);
      expect((await fetch(`${admin}/livez`, { method: 'POST' })).status).toBe(405);
      await running.stop();
      expect(await running.exited).toBe(0);
    },
  );
});
