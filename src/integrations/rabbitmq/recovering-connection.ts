import { connect, type RecoveringChannelModel } from 'amqplib';
import type { Logger } from '../../logger.ts';

/** A dead peer is noticed after about twice this; RabbitMQ's own default of 60 s is too slow for a frozen broker. */
const HEARTBEAT_SECONDS = 5;
const CONNECT_TIMEOUT_MS = 5_000;
/** The longest pause between two tries to connect. */
const MAX_RECONNECT_DELAY_MS = 2_000;
/** While the broker stays away, every so many failed tries are logged. */
const LOG_EVERY_TRIES = 30;

export interface ConnectionSettings {
  readonly url: string;
  /** Shown in RabbitMQ's management page. */
  readonly name: string;
  readonly logger: Logger;
}

/** Opens a connection that comes back by itself for as long as it is not closed. Does not wait for the broker. */
export async function openRecovering(settings: ConnectionSettings): Promise<RecoveringChannelModel> {
  const { logger, name } = settings;
  const url = new URL(settings.url);
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));

  const connection = await connect(url.href, {
    timeout: CONNECT_TIMEOUT_MS,
    noDelay: true,
    clientProperties: { connection_name: name },
    recovery: { initialDelay: 100, maxDelay: MAX_RECONNECT_DELAY_MS, waitForConnect: false },
  });
  const dependency = 'rabbitmq';
  connection.on('connect', () => logger.info({ event: 'broker_connected', dependency, caller: name }));
  connection.on('disconnect', (error) =>
    logger.warn({ event: 'broker_disconnected', dependency, caller: name, err: error }),
  );
  connection.on('reconnect-scheduled', ({ attempt, error }) => {
    if (attempt % LOG_EVERY_TRIES === 1) {
      logger.warn({ event: 'broker_unreachable', dependency, caller: name, attempt, err: error });
    }
  });
  connection.on('error', (error) => logger.warn({ event: 'broker_error', dependency, caller: name, err: error }));
  return connection;
}
