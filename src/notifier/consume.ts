import { setTimeout as delay } from 'node:timers/promises';
import { inContext } from '../db/connection.ts';
import { CHANNELS, type Channel } from '../domain/notification.ts';
import type { Delivery, Rabbitmq } from '../integrations/rabbitmq/rabbitmq.ts';
import { awaitsAnswer, failWaiting } from '../notifications/ledger/attempts.ts';
import { readNotificationMessage, type NotificationMessage } from '../notifications/message.ts';
import type { Publisher } from '../notifications/publish.ts';
import type { Topology } from '../notifications/topology.ts';
import { createChannelGate, type ChannelGate } from './channel.ts';
import { patiently } from './patiently.ts';
import { processNotification, type Next, type SendDeps } from './send.ts';

export interface NotifierDeps extends Omit<SendDeps, 'retryDelaysMs' | 'lookUpDelaysMs'> {
  readonly rabbitmq: Pick<Rabbitmq, 'consume'>;
  readonly publisher: Publisher;
  readonly topology: Topology;
  /** Messages of one channel under way at once. Default 20. */
  readonly prefetch?: number;
  /** How long a channel in trouble rests before it is tried again, where its provider does not ask for longer. Default 10 s. */
  readonly channelRestMs?: number;
  /** Waits, or rejects when the signal is aborted. Default: by the machine's timers. */
  readonly pause?: (durationMs: number, signal: AbortSignal) => Promise<void>;
}

export interface Notifier {
  /** Takes no more messages and waits for those under way. */
  readonly stop: () => Promise<void>;
}

/** A message that fails on an error of our own so often is for a person. */
const MAX_ERRORS = 5;

/** So often a message of a newer release waits for that release: by the product's delays, a day. */
const MAX_WAITS = 27;

/**
 * Consumes every channel's queue. A message is acknowledged only when the ledger holds what became of it and, if it must come again, the broker has
 * confirmed its successor: a crash at any point gives it out again, and the ledger knows what was done.
 */
export function startNotifier(deps: NotifierDeps): Notifier {
  const { rabbitmq, publisher, topology, logger, clock, prefetch = 20, channelRestMs: restMs = 10_000 } = deps;
  const { pause = pauseByTimer } = deps;
  const sendDeps: SendDeps = {
    ...deps,
    retryDelaysMs: topology.retryDelaysMs,
    lookUpDelaysMs: topology.lookUpDelaysMs,
  };
  const gate = (channel: Channel) => createChannelGate({ channel, clock, pause, logger, restMs });
  const gates: Readonly<Record<Channel, ChannelGate>> = { sms: gate('sms'), email: gate('email') };

  async function onDelivery(channel: Channel, { content, signal }: Delivery): Promise<void> {
    const read = readNotificationMessage(content);
    if (read.is === 'unreadable') {
      logger.error({ event: 'message_unreadable', channel });
      return patiently(() => publisher.deadLetter(content, 'unreadable_message'), signal);
    }
    if (read.is === 'unknown') return leaveToNewerRelease(channel, read.body, signal);
    const { message } = read;
    let latest = message;
    for (;;) {
      const next = await inTurn(message, signal).catch((error: unknown): Promise<Next> => {
        if (signal.aborted) throw error;
        latest = { ...message, errors: (message.errors ?? 0) + 1 };
        return afterOwnError(latest, error, signal);
      });
      if (next.next === 'again') continue;
      await follow(latest, next, signal);
      return;
    }
  }

  /** A deploy that is under way is over before the last of these waits is; then the message is for a person. */
  async function leaveToNewerRelease(
    channel: Channel,
    body: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    const waits = typeof body['waits'] === 'number' ? body['waits'] : 0;
    const { retryDelaysMs } = topology;
    const delayMs = retryDelaysMs[waits] ?? Math.max(...retryDelaysMs);
    if (waits >= MAX_WAITS) {
      logger.error({ event: 'message_unreadable', channel });
      const content = Buffer.from(JSON.stringify(body));
      return patiently(() => publisher.deadLetter(content, 'unknown_message'), signal);
    }
    if (waits === 0) logger.warn({ event: 'message_of_newer_release', channel });
    return patiently(() => publisher.postpone(channel, { ...body, waits: waits + 1 }, delayMs), signal);
  }

  /** When the channel takes messages, or wants to be tried. */
  async function inTurn(message: NotificationMessage, signal: AbortSignal): Promise<Next> {
    const { turn, wasWellSince } = gates[message.channel];
    const given = await turn(signal);
    if (given === undefined) return { next: 'later', delayMs: Math.min(...topology.retryDelaysMs) };
    try {
      return await processNotification(sendDeps, message, { ...given, wasWellSince }, signal);
    } finally {
      given.untried();
    }
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

  async function follow(
    message: NotificationMessage,
    next: Exclude<Next, { next: 'again' }>,
    signal: AbortSignal,
  ): Promise<void> {
    if (next.next === 'later') {
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
    rabbitmq.consume({
      queue: topology.workQueue[channel],
      prefetch,
      onDelivery: (delivery) => onDelivery(channel, delivery),
    }),
  );
  return {
    async stop() {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
  };
}

async function pauseByTimer(durationMs: number, signal: AbortSignal): Promise<void> {
  await delay(durationMs, undefined, { signal });
}
