import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { aPatient, aProvider, slotAt } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { testServers } from '../../support/servers.ts';
import { tcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { workerWorld, type WorkerWorld } from '../activities/worker-world.ts';

describe('a worker whose Temporal goes away', () => {
  let network: TcpProxy;
  let world: WorkerWorld;
  beforeAll(async () => {
    network = await tcpProxy(testServers().temporalAddress);
    world = await workerWorld(network.address);
  });
  afterAll(async () => {
    await world.close();
    await network.goAway();
  });

  async function book(): Promise<string> {
    const { appointmentId } = await bookAppointment(world.deps, world.act(), {
      patientId: await aPatient(world.database.owner, world.clinic),
      providerId: await aProvider(world.database.owner, world.clinic),
      appointmentTime: slotAt(world.clinic, 6, '10:00'),
      durationMinutes: 30,
      registersPatient: false,
    });
    return appointmentId;
  }
  const confirmed = (appointmentId: string, timeoutMs: number) =>
    eventually(
      () => {
        expect(world.published.filter((message) => message.appointmentId === appointmentId)).toHaveLength(1);
      },
      { timeoutMs },
    );

  it('lets patients book meanwhile, and confirms within ten seconds of its return, by itself', async () => {
    await confirmed(await book(), 20_000);

    await network.goAway();
    const during = await book();
    await eventually(async () => {
      const row = await world.database.owner.db
        .selectFrom('outbox')
        .select(['available_at', 'created_at'])
        .where('aggregate_id', '=', during)
        .executeTakeFirstOrThrow();
      expect(row.available_at.getTime()).toBeGreaterThan(row.created_at.getTime());
    });
    await network.comeBack();

    await confirmed(during, 10_000);
  });
});
