import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel, ConsumeMessage, RecoveringChannelModel } from 'amqplib';
import type { Declare } from './publishing.ts';
import { openRecovering, type ConnectionSettings } from './recovering-connection.ts';

/** The pause before consuming again after the broker refused or cancelled it. */
const RESUBSCRIBE_DELAY_MS = 1_000;

/** One message from a queue. It is acknowledged when the handler is done, and goes back to the queue when the handler rejects. */
export interface Delivery {
  readonly content: Buffer;
  /** Aborted when the broker took the message back or the consumer is stopping: what waits inside the handler should give up. */
  readonly signal: AbortSignal;
}

export interface ConsumeOptions {
  readonly queue: string;
  /** How many messages may be under way at once. */
  readonly prefetch: number;
  readonly onDelivery: (delivery: Delivery) => Promise<void>;
}

export interface Consumer {
  /** Takes no more messages, waits for those under way, and closes its channel. */
  readonly stop: () => Promise<void>;
}

export interface Consuming {
  readonly consume: (options: ConsumeOptions) => Consumer;
  readonly close: () => Promise<void>;
}

/** One connection, opened at the first consumer; each consumer has its own channel and comes back after every loss. */
export function createConsuming(settings: ConnectionSettings, declarations: readonly Declare[]): Consuming {
  let connection: Promise<RecoveringChannelModel> | undefined;
  const consumers = new Set<Consumer>();
  return {
    consume(options) {
      connection ??= openRecovering(settings);
      const consumer = startConsumer(connection, options, settings, declarations);
      const tracked = {
        stop: async () => {
          consumers.delete(tracked);
          await consumer.stop();
        },
      };
      consumers.add(tracked);
      return tracked;
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      await (await connection)?.close();
    },
  };
}

interface Signals {
  /** The channel is gone: there is nobody to answer. */
  readonly lost: AbortSignal;
  /** The channel is gone or the consumer is stopping. */
  readonly givenUp: AbortSignal;
}

function startConsumer(
  connection: Promise<RecoveringChannelModel>,
  options: ConsumeOptions,
  settings: ConnectionSettings,
  declarations: readonly Declare[],
): Consumer {
  const { queue, prefetch, onDelivery } = options;
  const { logger } = settings;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const isStopping = () => stopping.signal.aborted;
  let subscription: { readonly channel: Channel; readonly tag: string } | undefined;

  async function handle(channel: Channel, message: ConsumeMessage, signals: Signals): Promise<void> {
    const answer = await onDelivery({ content: message.content, signal: signals.givenUp }).then(
      () => 'ack' as const,
      (error: unknown) => {
        logger.warn({ event: 'delivery_returned', queue, err: error });
        return 'nack' as const;
      },
    );
    if (signals.lost.aborted) return;
    try {
      channel[answer](message);
    } catch (error) {
      // The channel is closing: as after a loss, the broker gives the message out again.
      logger.warn({ event: 'delivery_unanswered', queue, err: error });
    }
  }

  /** Consumes until the channel is lost. */
  async function subscribe(): Promise<void> {
    const channel = await (await connection).createChannel();
    const lost = new AbortController();
    const signals = { lost: lost.signal, givenUp: AbortSignal.any([lost.signal, stopping.signal]) };
    // Every message under way may listen.
    setMaxListeners(0, signals.givenUp);
    const gone = new Promise<void>((resolve) => lost.signal.addEventListener('abort', () => resolve(), { once: true }));
    channel.on('close', () => lost.abort());
    channel.on('error', (error) => logger.warn({ event: 'broker_channel_error', queue, err: error }));
    if (isStopping()) return channel.close();

    for (const declare of declarations) await declare(channel);
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message === null) {
        // The broker cancelled the consumer: the queue is gone or its leader moved.
        void channel.close().catch(() => undefined);
        return;
      }
      const work = handle(channel, message, signals).finally(() => underWay.delete(work));
      underWay.add(work);
    });
    logger.info({ event: 'consuming', queue });
    subscription = { channel, tag: consumerTag };
    if (isStopping()) await channel.close();
    await gone;
    subscription = undefined;
  }

  async function run(): Promise<void> {
    while (!isStopping()) {
      await subscribe().catch((error: unknown) => {
        if (!isStopping()) logger.warn({ event: 'consume_failed', queue, err: error });
      });
      await delay(RESUBSCRIBE_DELAY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  void run();
  return {
    async stop() {
      if (subscription !== undefined) await subscription.channel.cancel(subscription.tag).catch(() => undefined);
      stopping.abort();
      await Promise.all(underWay);
      await subscription?.channel.close().catch(() => undefined);
    },
  };
}
