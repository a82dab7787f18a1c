import { loadConfig } from '../config.ts';
import { createConnection } from '../db/connection.ts';
import { createRabbitmq } from '../integrations/rabbitmq/rabbitmq.ts';
import { createEmailSender } from '../integrations/sendgrid/email-sender.ts';
import { createSmsSender } from '../integrations/twilio/sms-sender.ts';
import { createLogger } from '../logger.ts';
import { createPublisher } from '../notifications/publish.ts';
import { createTopology } from '../notifications/topology.ts';
import { startNotifier } from '../notifier/consume.ts';

/** How long a provider may take to answer. */
const PROVIDER_TIMEOUT_MS = 10_000;
/** Longer than that: whoever finds a message in sending after this knows that its sender is gone. */
const LEASE_MS = 20_000;
/** After this the process stops, whatever is still open. */
const STOP_MS = 30_000;

const config = loadConfig(process.env, ['log', 'database', 'broker', 'publicUrl', 'twilio', 'sendgrid']);
const logger = createLogger({ level: config.log.LOG_LEVEL, role: 'notifier' });
const publicUrl = config.publicUrl.PUBLIC_URL.replace(/\/+$/, '');

const connection = createConnection({
  url: config.database.DATABASE_URL,
  poolSize: config.database.DATABASE_POOL_SIZE,
  name: 'mediconnect-notifier',
  onError: (error) => logger.warn({ err: error, dependency: 'postgresql' }, 'connection lost'),
});
const rabbitmq = createRabbitmq({ url: config.broker.AMQP_URL, name: 'mediconnect-notifier', logger });
const topology = createTopology({ prefix: config.broker.AMQP_QUEUE_PREFIX });

const notifier = startNotifier({
  db: connection.db,
  rabbitmq,
  publisher: createPublisher(rabbitmq, topology),
  topology,
  senders: {
    sms: createSmsSender({
      accountSid: config.twilio.TWILIO_ACCOUNT_SID,
      authToken: config.twilio.TWILIO_AUTH_TOKEN,
      from: config.twilio.TWILIO_FROM_NUMBER,
      baseUrl: config.twilio.TWILIO_BASE_URL,
      statusCallbackUrl: (notificationId) => `${publicUrl}/api/v1/callbacks/twilio/status/${notificationId}`,
      timeoutMs: PROVIDER_TIMEOUT_MS,
    }),
    email: createEmailSender({
      apiKey: config.sendgrid.SENDGRID_API_KEY,
      from: config.sendgrid.SENDGRID_FROM_EMAIL,
      baseUrl: config.sendgrid.SENDGRID_BASE_URL,
      timeoutMs: PROVIDER_TIMEOUT_MS,
    }),
  },
  logger,
  clock: Date.now,
  leaseMs: LEASE_MS,
  textKey: config.twilio.TWILIO_AUTH_TOKEN,
});
logger.info({ event: 'ready' });

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

/** No new messages first, then those under way, then what is open; in reverse order of the start. */
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  logger.info({ event: 'stopping', signal });
  setTimeout(() => process.exit(1), STOP_MS).unref();
  await notifier.stop();
  await rabbitmq.close();
  await connection.close();
  logger.info({ event: 'stopped' });
}
