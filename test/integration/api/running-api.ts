import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { createApp } from '../../../src/api/app.ts';
import { createSettle } from '../../../src/api/callbacks/callbacks.ts';
import { createDoors } from '../../../src/api/doors.ts';
import { createReadiness } from '../../../src/api/health/readiness.ts';
import { createRateLimiter } from '../../../src/api/rate-limit.ts';
import { createReads } from '../../../src/api/reads.ts';
import type { Connection } from '../../../src/db/connection.ts';
import { pendingMigrations } from '../../../src/db/migrate.ts';
import { createForeignFiles } from '../../../src/integrations/foreign-files.ts';
import { createRedis, pingRedis } from '../../../src/integrations/redis/redis.ts';
import { createRedisWindow } from '../../../src/integrations/redis/sliding-window.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { aToken, SCOPES, TEST_JWT } from '../../support/tokens.ts';
import { testServers } from '../../support/servers.ts';

export interface RunningApi {
  readonly app: FastifyInstance;
  readonly redis: Redis;
  readonly close: () => Promise<void>;
}

/** The API on a real database and a real Redis. Its counters are its own, so that no test uses up another's requests. */
export async function startApi(
  connection: Connection,
  given: {
    readonly redisUrl?: string;
    readonly limit?: number;
    readonly now?: () => Date;
    readonly ratePrefix?: string;
    readonly sharedMs?: number;
  } = {},
): Promise<RunningApi> {
  const redis = createRedis({ url: given.redisUrl ?? testServers().redisUrl, name: 'test-api' });
  if (given.redisUrl === undefined) await whenReady(redis);
  const size = { limit: given.limit ?? 10_000, windowMs: 60_000 };
  const scheduling = createSchedulingDeps(connection);
  const app = await createApp({
    logger: pino({ level: 'silent' }),
    publicUrl: 'https://api.test',
    jwt: TEST_JWT,
    rateLimit: {
      size,
      limiter: createRateLimiter({
        size,
        ...(given.sharedMs === undefined ? {} : { sharedMs: given.sharedMs }),
        shared: createRedisWindow(redis, size, given.ratePrefix ?? `test:${randomUUID()}:`),
      }),
    },
    doors: createDoors(scheduling),
    reads: createReads(connection, scheduling.schedules),
    callbacks: {
      isFromTwilio: ({ signature }) => signature === 'good',
      isFromSendgrid: ({ signature }) => signature === 'good',
      settle: createSettle(connection.db),
    },
    files: createForeignFiles(),
    readiness: createReadiness({
      isDraining: () => false,
      isDatabaseUp: async () => (await connection.pool.query('select 1')).rowCount === 1,
      pendingMigrations: () => pendingMigrations(connection.db),
      reported: { redis: () => pingRedis(redis) },
    }),
    now: given.now ?? (() => new Date()),
  });
  return {
    app,
    redis,
    close: async () => {
      await app.close();
      redis.disconnect();
    },
  };
}

async function whenReady(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', resolve));
}

type Headers = { readonly authorization: string };
const headersFor = async (claims: Parameters<typeof aToken>[0]): Promise<Headers> => ({
  authorization: `Bearer ${await aToken(claims)}`,
});

export const asPatient = (patientId: string) =>
  headersFor({ sub: patientId, role: 'patient', scope: SCOPES.patient, patient_id: patientId });

export const asAdmin = (clinicId: string) =>
  headersFor({ sub: `admin-of-${clinicId}`, role: 'clinic_admin', scope: SCOPES.clinicAdmin, clinic_id: clinicId });

export const asProvider = (clinicId: string, providerId: string) =>
  headersFor({
    sub: providerId,
    role: 'provider',
    scope: SCOPES.provider,
    clinic_id: clinicId,
    provider_id: providerId,
  });

/** For every clinic, or for the one that is given. */
export const asSupport = (clinicId?: string) =>
  headersFor({
    sub: 'support-1',
    role: 'support',
    scope: SCOPES.support,
    ...(clinicId === undefined ? {} : { clinic_id: clinicId }),
  });
