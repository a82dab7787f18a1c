import type { Channel, ConfirmChannel, Options, RecoveringChannelModel } from 'amqplib';
import { AppError } from '../../domain/errors.ts';
import { openRecovering, type ConnectionSettings } from './recovering-connection.ts';

const CONFIRM_TIMEOUT_MS = 5_000;

export type Declare = (channel: Channel) => Promise<void>;

/** What goes with a body. */
export interface PublishProperties {
  readonly messageId?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
}

export interface Publishing {
  readonly publish: (queue: string, content: Buffer, properties?: PublishProperties) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * One connection with one confirm channel, opened at the first publish and again whenever it was lost. What must exist is declared on every new channel.
 * While the connection is lost a publish fails at once: whoever waits here holds something that others need.
 *
 * A failed publish may still arrive (the confirm may be what was lost), so whoever consumes must cope with the same message twice.
 */
export function createPublishing(settings: ConnectionSettings, declarations: readonly Declare[]): Publishing {
  let connection: Promise<RecoveringChannelModel> | undefined;
  let channel: Promise<ConfirmChannel> | undefined;
  let unblocked: PromiseWithResolvers | undefined;
  /** Is the connection lost? One that is being made for the first time is waited for. */
  let isAway = false;
  let lost = withResolvers();
  let closed = false;
  let published = 0;
  const returned = new Set<string>();

  async function openConnection(): Promise<RecoveringChannelModel> {
    const opened = await openRecovering(settings);
    const release = () => {
      unblocked?.resolve();
      unblocked = undefined;
    };
    opened.on('blocked', () => {
      settings.logger.warn({ event: 'broker_blocked', dependency: 'rabbitmq', caller: settings.name });
      unblocked ??= withResolvers();
    });
    opened.on('unblocked', () => {
      settings.logger.info({ event: 'broker_unblocked', dependency: 'rabbitmq', caller: settings.name });
      release();
    });
    const onLoss = () => {
      isAway = true;
      const { reject } = lost;
      lost = withResolvers();
      reject(unavailable('disconnected'));
      release();
    };
    opened.on('disconnect', onLoss);
    opened.on('reconnect-scheduled', onLoss);
    opened.on('connect', () => (isAway = false));
    return opened;
  }

  /** @param onClose - the channel is gone */
  async function openChannel(onClose: () => void): Promise<ConfirmChannel> {
    connection ??= openConnection();
    const opened = await (await connection).createConfirmChannel();
    opened.on('close', onClose);
    opened.on('error', (error) =>
      settings.logger.warn({
        event: 'broker_channel_error',
        dependency: 'rabbitmq',
        caller: settings.name,
        err: error,
      }),
    );
    // Unroutable messages are confirmed too; only the return, which comes first, tells.
    opened.on('return', ({ properties }) => returned.add(String(properties.correlationId)));
    for (const declare of declarations) await declare(opened);
    return opened;
  }

  function currentChannel(): Promise<ConfirmChannel> {
    if (channel !== undefined) return channel;
    // One that closes late must not take the place of its successor with it.
    const forget = () => {
      if (channel === opening) channel = undefined;
    };
    const opening = openChannel(forget).catch((error: unknown) => {
      forget();
      throw error;
    });
    channel = opening;
    return opening;
  }

  async function send(queue: string, content: Buffer, properties: PublishProperties, attempt: Attempt): Promise<void> {
    while (unblocked !== undefined) await unblocked.promise;
    const current = currentChannel();
    const open = await current;
    // Whoever asked has given up: sending now would only make a duplicate of their next try.
    if (attempt.over) return;
    published += 1;
    const correlationId = String(published);
    const options: Options.Publish = {
      persistent: true,
      mandatory: true,
      contentType: 'application/json',
      correlationId,
      ...(properties.messageId === undefined ? {} : { messageId: properties.messageId }),
      headers: properties.headers ?? {},
    };
    await new Promise<void>((resolve, reject) => {
      open.sendToQueue(queue, content, options, (error: unknown) => {
        const unroutable = returned.delete(correlationId);
        if (error) reject(unavailable('not_confirmed'));
        else if (unroutable) reject(unavailable('unroutable'));
        else resolve();
      });
    }).catch(async (error: unknown) => {
      // The queue is gone: the next publish declares it again on a new channel.
      if (error instanceof AppError && error.detail['reason'] === 'unroutable') {
        if (channel === current) channel = undefined;
        await open.close().catch(() => undefined);
      }
      throw error;
    });
  }

  return {
    async publish(queue, content, properties = {}) {
      if (closed) throw unavailable('closed');
      if (isAway) throw unavailable('disconnected');
      const attempt = { over: false };
      const timeout = withResolvers();
      const timer = setTimeout(
        () => timeout.reject(unavailable(unblocked === undefined ? 'timeout' : 'blocked')),
        CONFIRM_TIMEOUT_MS,
      );
      try {
        await Promise.race([send(queue, content, properties, attempt), timeout.promise, lost.promise]);
      } catch (error) {
        throw error instanceof AppError ? error : unavailable('connection_lost', error);
      } finally {
        attempt.over = true;
        clearTimeout(timer);
      }
    },
    async close() {
      closed = true;
      const opened = await connection;
      await opened?.close();
    },
  };
}

interface Attempt {
  over: boolean;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Nobody may be waiting for it.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError('broker_unavailable', { reason }, { cause });
}
