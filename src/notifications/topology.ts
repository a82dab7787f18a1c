import { CHANNELS, type Channel } from '../domain/notification.ts';
import type { Declare } from '../integrations/rabbitmq/rabbitmq.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long a message waits before each further attempt after a passing error of its own. When the ladder is used up, the message has failed. */
const RETRY_DELAYS_MS: readonly number[] = [10 * SECOND, MINUTE, 10 * MINUTE, HOUR];

/** How long a message of unknown outcome waits before each look-up at the provider; the last one repeats until the visit begins. */
const LOOK_UP_DELAYS_MS: readonly number[] = [10 * SECOND, MINUTE, 10 * MINUTE, HOUR];

/** Publishing into a full queue is refused, which the publisher takes for a broker that is away: back-pressure instead of loss. */
const MAX_QUEUE_LENGTH = 1_000_000;

/** A message that was given out so often without an answer kills its consumers. RabbitMQ 4's default; 3.x had none. */
const DELIVERY_LIMIT = 20;

/** The names of the queues, and how they come to be. */
export interface Topology {
  readonly workQueue: Readonly<Record<Channel, string>>;
  readonly deadLetterQueue: string;
  readonly retryDelaysMs: readonly number[];
  readonly lookUpDelaysMs: readonly number[];
  /** The queue in which a message waits at least so long, or as long as the longest one there is. */
  readonly delayQueue: (channel: Channel, delayMs: number) => string;
  /** Declares every queue. Safe to repeat; refused by the broker where a queue exists with other settings. */
  readonly declare: Declare;
}

/**
 * One work queue a channel; one delay queue a channel and delay, from which a message falls back into the work queue when its time is up (a queue
 * per delay, because a message's own time-to-live is only looked at when it reaches the head); one dead-letter queue.
 *
 * Dead-lettering is at least once, which needs a quorum queue, `reject-publish` and a dead-letter exchange that exists; the default exchange always
 * does (rabbitmq.com/docs/quorum-queues#dead-lettering).
 */
export function createTopology(options: {
  readonly prefix: string;
  readonly retryDelaysMs?: readonly number[];
  readonly lookUpDelaysMs?: readonly number[];
}): Topology {
  const { prefix, retryDelaysMs = RETRY_DELAYS_MS, lookUpDelaysMs = LOOK_UP_DELAYS_MS } = options;
  const delays = [...new Set([...retryDelaysMs, ...lookUpDelaysMs])].sort((a, b) => a - b);
  const workQueue = { sms: `${prefix}notifications.sms`, email: `${prefix}notifications.email` };
  const deadLetterQueue = `${prefix}notifications.dead`;
  const delayQueueName = (channel: Channel, delayMs: number) => `${workQueue[channel]}.delay.${label(delayMs)}`;

  return {
    workQueue,
    deadLetterQueue,
    retryDelaysMs,
    lookUpDelaysMs,
    delayQueue(channel, delayMs) {
      const chosen = delays.find((delay) => delay >= delayMs) ?? delays.at(-1);
      if (chosen === undefined) throw new RangeError('the topology has no delays');
      return delayQueueName(channel, chosen);
    },
    async declare(amqp) {
      await amqp.assertQueue(deadLetterQueue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      for (const channel of CHANNELS) {
        await amqp.assertQueue(workQueue[channel], {
          durable: true,
          arguments: { ...deadLetteringTo(deadLetterQueue), 'x-delivery-limit': DELIVERY_LIMIT },
        });
        for (const delay of delays) {
          await amqp.assertQueue(delayQueueName(channel, delay), {
            durable: true,
            arguments: { ...deadLetteringTo(workQueue[channel]), 'x-message-ttl': delay },
          });
        }
      }
    },
  };
}

function deadLetteringTo(queue: string) {
  return {
    'x-queue-type': 'quorum',
    'x-overflow': 'reject-publish',
    'x-max-length': MAX_QUEUE_LENGTH,
    'x-dead-letter-strategy': 'at-least-once',
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': queue,
  };
}

function label(delayMs: number): string {
  if (delayMs % HOUR === 0) return `${delayMs / HOUR}h`;
  if (delayMs % MINUTE === 0) return `${delayMs / MINUTE}m`;
  return delayMs % SECOND === 0 ? `${delayMs / SECOND}s` : `${delayMs}ms`;
}
