import { createDoors } from '../api/doors.ts';
import { createApp } from '../api/app.ts';
import { createSettle } from '../api/callbacks/callbacks.ts';
import { createRateLimiter } from '../api/rate-limit.ts';
import { createReads } from '../api/reads.ts';
import { createTrust } from '../api/trusted-proxies.ts';
import { proxiesOf } from '../config.ts';
import { createForeignFiles } from '../integrations/foreign-files.ts';
import { createRedis, pingRedis } from '../integrations/redis/redis.ts';
import { createRedisWindow } from '../integrations/redis/sliding-window.ts';
import { verifySendgridSignature } from '../integrations/sendgrid/signature.ts';
import { verifyTwilioSignature } from '../integrations/twilio/signature.ts';
import { createSchedulingDeps } from '../scheduling/act.ts';
import { createRole } from './role.ts';

const { config, logger, connection, onLost, readinessWith, run } = createRole('api', [
  'redis',
  'http',
  'publicUrl',
  'jwt',
  'twilio',
  'sendgrid',
]);
const publicUrl = config.publicUrl.PUBLIC_URL.replace(/\/+$/, '');
const redis = createRedis({
  url: config.redis.REDIS_URL,
  name: 'mediconnect-api',
  onError: onLost('redis'),
});
const size = { limit: config.http.RATE_LIMIT_PER_MINUTE, windowMs: 60_000 };
const scheduling = createSchedulingDeps(connection);
const readiness = readinessWith({ redis: () => pingRedis(redis) });

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
  readiness,
  trustsProxy: createTrust(proxiesOf(config.http.TRUSTED_PROXIES)),
  now: () => new Date(),
});

// Made once and kept: half a second that no request should have to wait.
app.swagger();
await app.listen({ host: config.http.API_HOST, port: config.http.API_PORT });
const address = app.server.address();
await run({
  readiness,
  port: typeof address === 'object' && address !== null ? address.port : undefined,
  drainMs: config.http.DRAIN_MS,
  stop: async () => {
    await app.close();
    redis.disconnect();
  },
});
