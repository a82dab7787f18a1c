import { createDoors } from '../api/doors.ts';
import { createApp } from '../api/app.ts';
import { createSettle } from '../api/callbacks/callbacks.ts';
import { createRateLimiter } from '../api/rate-limit.ts';
import { createReads } from '../api/reads.ts';
import { loadConfig } from '../config.ts';
import { createConnection } from '../db/connection.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { createForeignFiles } from '../integrations/foreign-files.ts';
import { createRedis, pingRedis } from '../integrations/redis/redis.ts';
import { createRedisWindow } from '../integrations/redis/sliding-window.ts';
import { verifySendgridSignature } from '../integrations/sendgrid/signature.ts';
import { verifyTwilioSignature } from '../integrations/twilio/signature.ts';
import { createLogger } from '../logger.ts';
import { createSchedulingDeps } from '../scheduling/act.ts';

/** Between "not ready" and closing, so that a load balancer has looked. */
const DRAIN_MS = 1_000;
/** After this the process stops, whatever is still open. */
const STOP_MS = 30_000;

const config = loadConfig(process.env, ['log', 'database', 'redis', 'http', 'publicUrl', 'jwt', 'twilio', 'sendgrid']);
const logger = createLogger({ level: config.log.LOG_LEVEL, role: 'api' });
const publicUrl = config.publicUrl.PUBLIC_URL.replace(/\/+$/, '');

const connection = createConnection({
  url: config.database.DATABASE_URL,
  poolSize: config.database.DATABASE_POOL_SIZE,
  name: 'mediconnect-api',
  onError: (error) => logger.warn({ err: error, dependency: 'postgresql' }, 'connection lost'),
});
const redis = createRedis({
  url: config.redis.REDIS_URL,
  name: 'mediconnect-api',
  onError: (error) => logger.warn({ err: error, dependency: 'redis' }, 'connection lost'),
});
const size = { limit: config.http.RATE_LIMIT_PER_MINUTE, windowMs: 60_000 };
const scheduling = createSchedulingDeps(connection);
let draining = false;

const app = await createApp({
  logger,
  publicUrl,
  jwt: { secret: config.jwt.JWT_SECRET, issuer: config.jwt.JWT_ISSUER, audience: config.jwt.JWT_AUDIENCE },
  rateLimit: {
    size,
    limiter: createRateLimiter({
      size,
      shared: createRedisWindow(redis, size),
      onSharedLost: (error) => logger.warn({ err: error, dependency: 'redis' }, 'counting requests in this process'),
    }),
  },
  doors: createDoors(scheduling),
  reads: createReads(connection, scheduling.schedules),
  callbacks: {
    isFromTwilio: ({ path, fields, signature }) =>
      verifyTwilioSignature(config.twilio.TWILIO_AUTH_TOKEN, `${publicUrl}${path}`, fields, signature),
    isFromSendgrid: (request) =>
      verifySendgridSignature(config.sendgrid.SENDGRID_WEBHOOK_PUBLIC_KEY, request, Date.now()),
    settle: createSettle(connection.db),
  },
  files: createForeignFiles(),
  readiness: {
    isDraining: () => draining,
    isDatabaseUp: async () => (await connection.pool.query('select 1')).rowCount === 1,
    pendingMigrations: () => pendingMigrations(connection.db),
    reported: { redis: () => pingRedis(redis) },
  },
  now: () => new Date(),
});

// Made once and kept: half a second that no request should have to wait.
app.swagger();
await app.listen({ host: config.http.API_HOST, port: config.http.API_PORT });
const address = app.server.address();
logger.info({ event: 'ready', ...(typeof address === 'object' && address !== null ? { port: address.port } : {}) });

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

/** Not ready first, then no new requests, then what is open; in reverse order of the start. */
async function stop(signal: string): Promise<void> {
  if (draining) return;
  draining = true;
  logger.info({ event: 'stopping', signal });
  setTimeout(() => process.exit(1), STOP_MS).unref();
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  await app.close();
  redis.disconnect();
  await connection.close();
  logger.info({ event: 'stopped' });
}
