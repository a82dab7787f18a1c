import { setTimeout as delay } from 'node:timers/promises';
import { inContext } from '../db/connection.ts';
import { CHANNELS, type Channel } from '../domain/notification.ts';
import type { Delivery, Rabbitmq } from '../integrations/rabbitmq/rabbitmq.ts';
import { awaitsAnswer, failWaiting } from '../notifications/ledger.ts';
import { readNotificationMessage, type NotificationMessage } from '../notifications/message.ts';
import type { Publisher } from '../notifications/publish.ts';
import type { Topology } from '../notifications/topology.ts';
import { patiently } from './patiently.ts';
import { processNotification, type Next, type SendDeps } from './send.ts';

export interface NotifierDeps extends Omit<SendDeps, 'retryDelaysMs' | 'lookUpDelaysMs'> {
  readonly rabbitmq: Pick<Rabbitmq, 'consume'>;
  readonly publisher: Publisher;
  readonly topology: Topology;
  /** Messages of one channel under way at once. Default 20. */
  readonly prefetch?: number;
  /** How long a channel rests after its provider refused us altogether. Default 30 s. */
  readonly channelRestMs?: number;
}

export interface Notifier {
  /** Takes no more messages and waits for those under way. */
  readonly stop: () => Promise<void>;
}

/** A message that fails on an error of our own so often is for a person. */
const MAX_ERRORS = 5;

/**
 * Consumes every channel's queue. A message is acknowledged only when the ledger holds what became of it and, if it must come again, the broker has
 * confirmed its successor: a crash at any point gives it out again, and the ledger knows what was done.
 */
export function startNotifier(deps: NotifierDeps): Notifier {
  const { rabbitmq, publisher, topology, logger, prefetch = 20, channelRestMs = 30_000 } = deps;
  const sendDeps: SendDeps = {
    ...deps,
    retryDelaysMs: topology.retryDelaysMs,
    lookUpDelaysMs: topology.lookUpDelaysMs,
  };
  const restingUntil: Record<Channel, number> = { sms: 0, email: 0 };

  async function onDelivery({ content, signal }: Delivery): Promise<void> {
    const message = readNotificationMessage(content);
    if (message === undefined) {
      logger.error({ event: 'message_unreadable' });
      await patiently(() => publisher.deadLetter(content, 'unreadable_message'), signal);
      return;
    }
    await rest(restingUntil[message.channel] - deps.clock(), signal);
    let latest = message;
    const next = await processNotification(sendDeps, message, signal).catch((error: unknown): Promise<Next> => {
      if (signal.aborted) throw error;
      latest = { ...message, errors: (message.errors ?? 0) + 1 };
      return afterOwnError(latest, error, signal);
    });
    await follow(latest, next, signal);
  }

  async function afterOwnError(message: NotificationMessage, error: unknown, signal: AbortSignal): Promise<Next> {
    const { notificationId, channel, attempt, errors = 0 } = message;
    logger.error({ event: 'notification_error', notificationId, channel, attempt, err: error });
    if (errors < MAX_ERRORS) return { next: 'later', delayMs: Math.min(...topology.retryDelaysMs) };
    const reason = 'internal_error';
    const left = await giveUp(message, reason, signal);
    // It may have been sent: only a look-up can tell, and that needs the message.
    if (left !== undefined && awaitsAnswer(left.state) && left.plannedFor.getTime() > deps.clock()) {
      return { next: 'later', delayMs: Math.max(...topology.lookUpDelaysMs) };
    }
    return { next: 'dead', reason };
  }

  async function giveUp(
    { notificationId, clinicId, channel }: NotificationMessage,
    reason: string,
    signal: AbortSignal,
  ) {
    const settle = () => inContext(deps.db, { clinicId }, (tx) => failWaiting(tx, { notificationId, reason }));
    try {
      return await patiently(settle, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      logger.error({ event: 'notification_error', notificationId, channel, err: error });
      return undefined;
    }
  }

  async function follow(message: NotificationMessage, next: Next, signal: AbortSignal): Promise<void> {
    if (next.next === 'later') {
      if (next.stopChannel !== undefined) {
        restingUntil[message.channel] = deps.clock() + channelRestMs;
        // The alarm: nothing on this channel goes out until a person has put it right.
        logger.error({ event: 'channel_stopped', channel: message.channel, reason: next.stopChannel.reason });
      }
      const again = { ...message, attempt: message.attempt + 1 };
      await patiently(() => publisher.publishLater(again, next.delayMs), signal);
    }
    if (next.next === 'dead') {
      logger.warn({ event: 'message_dead', notificationId: message.notificationId, reason: next.reason });
      const content = Buffer.from(JSON.stringify(message));
      await patiently(() => publisher.deadLetter(content, next.reason, message.notificationId), signal);
    }
  }

  const consumers = CHANNELS.map((channel) =>
    rabbitmq.consume({ queue: topology.workQueue[channel], prefetch, onDelivery }),
  );
  return {
    async stop() {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
  };
}

async function rest(durationMs: number, signal: AbortSignal): Promise<void> {
  if (durationMs > 0) await delay(durationMs, undefined, { signal });
}
