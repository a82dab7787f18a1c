import { createRabbitmq } from '../integrations/rabbitmq/rabbitmq.ts';
import { createEmailSender } from '../integrations/sendgrid/email-sender.ts';
import { createSmsSender } from '../integrations/twilio/sms-sender.ts';
import { createPublisher } from '../notifications/publish.ts';
import { createTopology } from '../notifications/topology.ts';
import { startNotifier } from '../notifier/consume.ts';
import { createRole } from './role.ts';

/** How long a provider may take to answer. */
const PROVIDER_TIMEOUT_MS = 10_000;
/** Longer than that: whoever finds a message in sending after this knows that its sender is gone. */
const LEASE_MS = 20_000;

const { config, logger, connection, run } = createRole('notifier', ['broker', 'publicUrl', 'twilio', 'sendgrid']);
const publicUrl = config.publicUrl.PUBLIC_URL.replace(/\/+$/, '');

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
await run({
  // No new messages first, then those under way.
  stop: async () => {
    await notifier.stop();
    await rabbitmq.close();
  },
});
