import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { createRabbitmq } from '../../../src/integrations/rabbitmq/rabbitmq.ts';
import type { NotificationMessage } from '../../../src/notifications/message.ts';
import { createPublisher } from '../../../src/notifications/publish.ts';
import { createTopology } from '../../../src/notifications/topology.ts';
import { eventually } from '../../support/eventually.ts';
import { testServers } from '../../support/servers.ts';
import { aLogger, createTestQueues, type TestQueues } from './world.ts';

const DELAY_MS = 200;

const aMessage = (): NotificationMessage => ({
  schemaVersion: 1,
  notificationId: randomUUID(),
  clinicId: randomUUID(),
  appointmentId: randomUUID(),
  channel: 'sms',
  now: new Date().toISOString(),
  attempt: 1,
});

describe('the queues', () => {
  const { logger } = aLogger();
  let queues: TestQueues;

  beforeAll(async () => {
    queues = await createTestQueues(logger, { retryDelaysMs: [DELAY_MS], lookUpDelaysMs: [DELAY_MS] });
  });
  afterAll(() => queues.close());

  it('hold a published message, durable and by its id', async () => {
    const message = aMessage();
    await queues.publisher.publish(message);
    const { content, properties } = await queues.take(queues.topology.workQueue.sms);
    expect(JSON.parse(content.toString('utf8'))).toEqual(message);
    expect(properties).toMatchObject({ deliveryMode: 2, messageId: message.notificationId });
  });

  it('keep the channels apart', async () => {
    await queues.publisher.publish({ ...aMessage(), channel: 'email' });
    expect(await queues.count(queues.topology.workQueue.sms)).toBe(0);
    await queues.take(queues.topology.workQueue.email);
  });

  it('give a delayed message back after its delay, again and again, without a trace of its way', async () => {
    const message = aMessage();
    const started = Date.now();
    for (let attempt = 2; attempt <= 6; attempt += 1) {
      await queues.publisher.publishLater({ ...message, attempt }, DELAY_MS);
      const { content } = await queues.take(queues.topology.workQueue.sms);
      expect(JSON.parse(content.toString('utf8'))).toEqual({ ...message, attempt });
    }
    expect(Date.now() - started).toBeGreaterThanOrEqual(5 * DELAY_MS);
  });

  it('keep dead letters with their reason', async () => {
    await queues.publisher.deadLetter(Buffer.from('{}'), 'twilio_21211', 'n-1');
    const { content, properties } = await queues.take(queues.topology.deadLetterQueue);
    expect(content.toString('utf8')).toBe('{}');
    expect(properties).toMatchObject({ messageId: 'n-1', headers: { reason: 'twilio_21211' } });
  });

  it('may be declared again', async () => {
    const connection = await connect(testServers().amqpUrl);
    const channel = await connection.createChannel();
    await queues.topology.declare(channel);
    await queues.topology.declare(channel);
    await connection.close();
  });

  it('take a thousand messages at once', async () => {
    const own = await createTestQueues(logger, { retryDelaysMs: [DELAY_MS], lookUpDelaysMs: [DELAY_MS] });
    await Promise.all(Array.from({ length: 1_000 }, () => own.publisher.publish(aMessage())));
    await eventually(async () => expect(await own.count(own.topology.workQueue.sms)).toBe(1_000));
    await own.close();
  });
});

describe('publishing', () => {
  const { logger } = aLogger();

  it('to a queue that is gone is an error, and the next publish has declared it again', async () => {
    const { amqpUrl } = testServers();
    const queues = await createTestQueues(logger, { retryDelaysMs: [DELAY_MS], lookUpDelaysMs: [DELAY_MS] });
    await queues.publisher.publish(aMessage());
    const connection = await connect(amqpUrl);
    const channel = await connection.createChannel();
    await channel.deleteQueue(queues.topology.workQueue.sms);
    await expect(queues.publisher.publish(aMessage())).rejects.toMatchObject({
      code: 'broker_unavailable',
      detail: { reason: 'unroutable' },
    });
    const message = aMessage();
    await queues.publisher.publish(message);
    const { properties } = await queues.take(queues.topology.workQueue.sms);
    expect(properties.messageId).toBe(message.notificationId);
    await connection.close();
    await queues.close();
  });

  it('without a broker is an error at once', async () => {
    const rabbitmq = createRabbitmq({ url: 'amqp://127.0.0.1:1', name: 'nowhere', logger });
    const publisher = createPublisher(rabbitmq, createTopology({ prefix: 'nowhere.' }));
    // Not a timeout: nobody waits for a broker that is not there.
    const away = { code: 'broker_unavailable', detail: { reason: 'disconnected' } };
    await expect(publisher.publish(aMessage())).rejects.toMatchObject(away);
    await Promise.all(
      Array.from({ length: 1_000 }, () => expect(publisher.publish(aMessage())).rejects.toMatchObject(away)),
    );
    await rabbitmq.close();
    await expect(publisher.publish(aMessage())).rejects.toMatchObject({ detail: { reason: 'closed' } });
  });

  it('and consuming go on after the broker has closed both connections; what was not acknowledged comes again', async () => {
    const { amqpUrl, amqpManagementUrl } = testServers();
    const queues = await createTestQueues(logger, { retryDelaysMs: [DELAY_MS], lookUpDelaysMs: [DELAY_MS] });
    const name = `test-${randomUUID()}`;
    const rabbitmq = createRabbitmq({ url: amqpUrl, name, logger });
    const publisher = createPublisher(rabbitmq, queues.topology);
    const got: string[] = [];
    let finishFirst: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (finishFirst = resolve));
    rabbitmq.consume({
      queue: queues.topology.workQueue.sms,
      prefetch: 10,
      onDelivery: async ({ content }) => {
        got.push((JSON.parse(content.toString('utf8')) as NotificationMessage).notificationId);
        if (got.length === 1) await first;
      },
    });
    const held = aMessage();
    await publisher.publish(held);
    await eventually(() => expect(got).toEqual([held.notificationId]));

    const { username, password } = new URL(amqpUrl);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    // The broker tells of a connection some seconds after it was made. Each is closed once: closed again it would give the message out a third time.
    const ours = await eventually(async () => {
      const answer = await fetch(`${amqpManagementUrl}/api/connections`, { headers: { authorization } });
      const open = (await answer.json()) as { name: string; client_properties?: { connection_name?: string } }[];
      const named = open.filter((each) => each.client_properties?.connection_name?.startsWith(name));
      expect(named).toHaveLength(2);
      return named;
    });
    for (const each of ours) {
      await fetch(`${amqpManagementUrl}/api/connections/${encodeURIComponent(each.name)}`, {
        method: 'DELETE',
        headers: { authorization },
      });
    }
    await eventually(() => expect(got).toEqual([held.notificationId, held.notificationId]));
    finishFirst();
    const next = aMessage();
    await eventually(() => publisher.publish(next));
    await eventually(() => expect(got).toContain(next.notificationId));
    await eventually(async () => expect(await queues.count(queues.topology.workQueue.sms)).toBe(0));
    await rabbitmq.close();
    await queues.close();
  });
});
