import { describe, expect, it } from '@jest/globals';
import type { Db } from '../../../src/db/connection.ts';
import type { Channel } from '../../../src/domain/notification.ts';
import type { Delivery } from '../../../src/integrations/rabbitmq/rabbitmq.ts';
import { createLogger } from '../../../src/logger.ts';
import { createTopology } from '../../../src/notifications/topology.ts';
import { startNotifier, type NotifierDeps } from '../../../src/notifier/consume.ts';

const MINUTE = 60_000;

/** A notifier between a queue and a publisher of a few lines. */
function aNotifier() {
  const topology = createTopology({ prefix: '' });
  const postponed: { channel: Channel; body: object; delayMs: number }[] = [];
  const dead: string[] = [];
  const consumers = new Map<string, (delivery: Delivery) => Promise<void>>();
  const notNow = () => Promise.reject(new Error('not expected'));
  startNotifier({
    db: undefined as unknown as Db,
    rabbitmq: {
      consume: ({ queue, onDelivery }) => {
        consumers.set(queue, onDelivery);
        return { stop: () => Promise.resolve() };
      },
    },
    publisher: {
      publish: notNow,
      publishLater: notNow,
      postpone: (channel, body, delayMs) => Promise.resolve(void postponed.push({ channel, body, delayMs })),
      deadLetter: (_content, reason) => Promise.resolve(void dead.push(reason)),
    },
    topology,
    senders: {} as NotifierDeps['senders'],
    logger: createLogger({ level: 'silent', role: 'test' }),
    clock: Date.now,
    leaseMs: 1,
    textKey: '',
  });
  const gets = async (channel: Channel, body: unknown) =>
    consumers.get(topology.workQueue[channel])?.({
      content: Buffer.from(JSON.stringify(body)),
      signal: new AbortController().signal,
    });
  return { gets, postponed, dead };
}

describe('a message of a newer release', () => {
  const newer = { schemaVersion: 2, notificationIds: ['n-1'], priority: 'high' };

  it('waits for that release, whole, on its channel', async () => {
    const { gets, postponed, dead } = aNotifier();
    await gets('email', newer);
    expect(postponed).toEqual([{ channel: 'email', body: { ...newer, waits: 1 }, delayMs: 10_000 }]);
    expect(dead).toEqual([]);
  });

  it('is for a person only after a day', async () => {
    const { gets, postponed, dead } = aNotifier();
    let body: object = newer;
    while (dead.length === 0) {
      await gets('sms', body);
      body = postponed.at(-1)?.body ?? newer;
    }
    expect(dead).toEqual(['unknown_message']);
    const waited = postponed.reduce((sum, { delayMs }) => sum + delayMs, 0);
    expect(waited).toBeGreaterThanOrEqual(24 * 60 * MINUTE);
    expect(waited).toBeLessThan(25 * 60 * MINUTE);
  });
});
