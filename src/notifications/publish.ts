import type { Channel } from '../domain/notification.ts';
import type { Rabbitmq } from '../integrations/rabbitmq/rabbitmq.ts';
import type { NotificationMessage } from './message.ts';
import type { Topology } from './topology.ts';

/** Puts notifications where the notifier finds them. Each resolves once the broker has the message. @throws AppError `broker_unavailable` */
export interface Publisher {
  /** To be sent as soon as may be. */
  readonly publish: (message: NotificationMessage) => Promise<void>;
  /** To be looked at again after at least `delayMs`. */
  readonly publishLater: (message: NotificationMessage, delayMs: number) => Promise<void>;
  /** What this release cannot read, back into the channel's queue after at least `delayMs`: a newer one may be running beside it. */
  readonly postpone: (channel: Channel, body: Readonly<Record<string, unknown>>, delayMs: number) => Promise<void>;
  /** For a person: what the notifier cannot or will not go on with, with the reason (a code) in the header `reason`. */
  readonly deadLetter: (content: Buffer, reason: string, notificationId?: string) => Promise<void>;
}

/**
 * Every message is written anew, never forwarded: RabbitMQ up to 3.13 silently drops a message whose own `x-death` header shows it in a cycle of
 * queues without a rejection (rabbitmq.com/docs/dlx).
 */
export function createPublisher(rabbitmq: Pick<Rabbitmq, 'declare' | 'publish'>, topology: Topology): Publisher {
  rabbitmq.declare(topology.declare);
  const send = (queue: string, message: NotificationMessage) =>
    rabbitmq.publish(queue, Buffer.from(JSON.stringify(message)), { messageId: message.notificationId });
  return {
    publish: (message) => send(topology.workQueue[message.channel], message),
    publishLater: (message, delayMs) => send(topology.delayQueue(message.channel, delayMs), message),
    postpone: (channel, body, delayMs) =>
      rabbitmq.publish(topology.delayQueue(channel, delayMs), Buffer.from(JSON.stringify(body))),
    deadLetter: (content, reason, notificationId) =>
      rabbitmq.publish(topology.deadLetterQueue, content, {
        headers: { reason },
        ...(notificationId === undefined ? {} : { messageId: notificationId }),
      }),
  };
}
