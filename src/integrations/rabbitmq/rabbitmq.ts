import type { Logger } from '../../logger.ts';
import { createConsuming, type ConsumeOptions, type Consumer } from './consuming.ts';
import { createPublishing, type Declare, type PublishProperties } from './publishing.ts';

export type { ConsumeOptions, Consumer, Delivery } from './consuming.ts';
export type { Declare, PublishProperties } from './publishing.ts';

export interface Rabbitmq {
  /** Registers what must exist before anything is published or consumed. It runs on every new channel, so it must be safe to repeat. */
  readonly declare: (declaration: Declare) => void;
  /**
   * Sends a persistent message to a queue and waits until the broker has it safely.
   * @throws AppError `broker_unavailable` at once while there is no connection, else when that is not known within 5 s; `detail.reason` is
   * `disconnected`, `timeout`, `blocked`, `unroutable`, `not_confirmed`, `connection_lost` or `closed`. The message may have arrived all the same.
   */
  readonly publish: (queue: string, content: Buffer, properties?: PublishProperties) => Promise<void>;
  /** Consumes until it is stopped, through every loss of the connection. */
  readonly consume: (options: ConsumeOptions) => Consumer;
  /** Stops the consumers, waits for what is under way, and closes both connections. */
  readonly close: () => Promise<void>;
}

/**
 * The broker, over one connection for publishing and one for consuming: a connection that RabbitMQ blocks for publishing must not hold back
 * acknowledgements (rabbitmq.com/docs/connection-blocked). Each is opened when it is first needed; neither waits for the broker to be there.
 */
export function createRabbitmq(options: {
  readonly url: string;
  readonly name: string;
  readonly logger: Logger;
}): Rabbitmq {
  const declarations: Declare[] = [];
  const publishing = createPublishing({ ...options, name: `${options.name} publishing` }, declarations);
  const consuming = createConsuming({ ...options, name: `${options.name} consuming` }, declarations);
  return {
    declare: (declaration) => void declarations.push(declaration),
    publish: publishing.publish,
    consume: consuming.consume,
    async close() {
      await consuming.close();
      await publishing.close();
    },
  };
}
