import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRabbitmq } from '../../../scripts/stack/index.mjs';
import { createRabbitmq, type Rabbitmq } from '../../../src/integrations/rabbitmq/rabbitmq.ts';
import type { NotificationMessage } from '../../../src/notifications/message.ts';
import { createPublisher, type Publisher } from '../../../src/notifications/publish.ts';
import { createTopology } from '../../../src/notifications/topology.ts';
import { eventually } from '../../support/eventually.ts';
import { aLogger } from './world.ts';

const aMessage = (): NotificationMessage => ({
  schemaVersion: 1,
  notificationId: randomUUID(),
  clinicId: randomUUID(),
  appointmentId: randomUUID(),
  channel: 'sms',
  now: new Date().toISOString(),
  attempt: 1,
});

describe('with a broker that goes away', () => {
  const { logger } = aLogger();
  const topology = createTopology({ prefix: '' });
  const got = new Map<string, number>();
  let server: Awaited<ReturnType<typeof startRabbitmq>>;
  let rabbitmq: Rabbitmq;
  let publisher: Publisher;

  beforeAll(async () => {
    server = await startRabbitmq({ durable: false });
    rabbitmq = createRabbitmq({ url: server.amqpUrl, name: 'test', logger });
    publisher = createPublisher(rabbitmq, topology);
    rabbitmq.consume({
      queue: topology.workQueue.sms,
      prefetch: 10,
      onDelivery: ({ content }) => {
        const { notificationId } = JSON.parse(content.toString('utf8')) as NotificationMessage;
        got.set(notificationId, (got.get(notificationId) ?? 0) + 1);
        return Promise.resolve();
      },
    });
    const message = aMessage();
    await publisher.publish(message);
    await eventually(() => expect(got.has(message.notificationId)).toBe(true));
  }, 180_000);
  afterAll(async () => {
    await rabbitmq.close();
    await server.stop();
  });

  it('frozen: a publish is refused after five seconds, and both directions work again after it thaws', async () => {
    await server.kill('SIGSTOP');
    const started = Date.now();
    await expect(publisher.publish(aMessage())).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(Date.now() - started).toBeLessThan(7_000);
    await server.kill('SIGCONT');
    const message = aMessage();
    await eventually(() => publisher.publish(message), { timeoutMs: 30_000 });
    await eventually(() => expect(got.has(message.notificationId)).toBe(true), { timeoutMs: 30_000 });
  }, 120_000);

  it('killed: what was confirmed is delivered after the restart', async () => {
    const delayed = aMessage();
    await publisher.publishLater(delayed, 10_000);
    await server.kill('SIGKILL');
    await expect(publisher.publish(aMessage())).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(publisher.publish(aMessage())).rejects.toMatchObject({ detail: { reason: 'disconnected' } });
    await server.restart();
    const message = aMessage();
    await eventually(() => publisher.publish(message), { timeoutMs: 30_000 });
    await eventually(() => expect(got.has(message.notificationId)).toBe(true), { timeoutMs: 30_000 });
    await eventually(() => expect(got.has(delayed.notificationId)).toBe(true), { timeoutMs: 60_000 });
  }, 240_000);
});
