import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerOf, findSlots, setFault } from '../../scripts/local/client.ts';
import { startRabbitmq, type ServerHandle } from '../../scripts/stack/index.mjs';
import {
  book,
  delivered,
  messagesTo,
  nextAction,
  patient,
  providerId,
  startTestSystem,
  workflowClock,
  type TestSystem,
} from './support.ts';
import { eventually } from '../support/eventually.ts';

/* kill -9 in the middle of a life: nothing lost, nothing twice. The broker is the file's own. */
describe('killed in the middle of a life', () => {
  let system: TestSystem;
  let broker: ServerHandle;

  beforeAll(async () => {
    const own = await startRabbitmq();
    broker = own;
    system = await startTestSystem({ amqpUrl: own.amqpUrl, amqpManagementUrl: own.amqpManagementUrl });
  }, 180_000);
  afterAll(async () => {
    await system.close();
    await broker.stop();
  }, 60_000);

  const slot = async (days: number, provider: number) => {
    const { starts } = await findSlots(system.desk, providerId(provider), days);
    const start = starts[0];
    if (start === undefined) throw new Error('no slot');
    return start;
  };
  const notificationsIn = async (state: 'ACCEPTED' | 'QUEUED') => {
    const params = { query: { state } };
    const { notifications } = await answerOf(system.desk.GET('/api/v1/notifications', { params }));
    return notifications;
  };

  it('the worker: what was booked meanwhile is confirmed, and the reminder that fell due goes out once', async () => {
    const before = await book(system, 30, await slot(10, 0), 0);
    const clock = workflowClock(system, before);
    await delivered(system, 30, 1);
    const due = await nextAction(system, before, 'reminder:P3D');

    await system.stopRole('worker', 'SIGKILL');
    const meanwhile = await book(system, 31, await slot(10, 1), 1);
    expect(meanwhile).toBeTruthy();
    expect(await messagesTo(system, 31)).toHaveLength(0);
    await system.startRole('worker');

    await clock.to(due + 1_000);
    await delivered(system, 30, 2, 60_000);
    await delivered(system, 31, 1, 60_000);
  }, 180_000);

  it('the notifier, after Twilio accepted and before it heard so: the message is found there and not sent again', async () => {
    const { phone } = patient(32);
    await setFault(system.sandboxUrl, {
      vendor: 'twilio',
      match: { to: phone, method: 'POST' },
      kind: 'accept-then-hang',
      ms: 8_000,
      times: 1,
      webhooks: 'none',
    });
    await book(system, 32, await slot(10, 2), 2);
    await eventually(async () => expect(await messagesTo(system, 32)).toHaveLength(1));
    await system.stopRole('notifier', 'SIGKILL');
    await system.startRole('notifier');
    await eventually(
      async () => {
        const rows = await notificationsIn('ACCEPTED');
        expect(rows.filter((row) => row.patientId === patient(32).patientId)).toHaveLength(1);
      },
      { timeoutMs: 120_000, everyMs: 500 },
    );
    expect(await messagesTo(system, 32)).toHaveLength(1);
  }, 240_000);

  it('the broker: what was published survives, what could not be is published when it is back', async () => {
    await system.stopRole('notifier');
    await book(system, 34, await slot(10, 3), 3);
    await eventually(async () => {
      const rows = await notificationsIn('QUEUED');
      expect(rows.some((row) => row.patientId === patient(34).patientId)).toBe(true);
    });
    await broker.kill('SIGKILL');
    await book(system, 36, await slot(11, 0), 0);
    await broker.restart();
    await system.startRole('notifier');
    await delivered(system, 34, 1, 90_000);
    await delivered(system, 36, 1, 90_000);
  }, 240_000);
});
