import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answered, visitChanged, workflowIds, WORKFLOWS } from '../../src/workflows/messages.ts';
import { eventually } from '../support/eventually.ts';
import { temporalTest, type TemporalTest } from '../support/temporal-test.ts';
import { skipTime } from '../support/time-skipping.ts';
import { MINUTE } from './appointment-world.ts';
import { aSickDay, OFFER_MINUTES, sickDayActivities, type SickDayWorld } from './sick-day-world.ts';

describe('a sick day', () => {
  const worlds = new Map<string, SickDayWorld>();
  let test: TemporalTest;
  let worker: { readonly stop: () => Promise<void> };

  beforeAll(async () => {
    test = await temporalTest();
    worker = await test.startWorker(sickDayActivities(worlds));
  });
  afterAll(async () => {
    await worker.stop();
    await test.close();
  });

  async function start(visits: number, given: Partial<SickDayWorld> = {}) {
    const sickDayId = randomUUID();
    const world = { ...aSickDay(visits), ...given };
    worlds.set(sickDayId, world);
    const handle = await test.temporal.client.workflow.start(WORKFLOWS.sickDay, {
      workflowId: workflowIds.sickDay(sickDayId),
      taskQueue: test.taskQueue,
      args: [{ sickDayId, clinicId: 'clinic-1' }],
    });
    const details = async () =>
      (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails;
    const asked = (times: number) =>
      eventually(() => {
        expect(world.asked.length).toBe(times);
      });
    return { world, handle, details, asked };
  }

  it('sees to everybody page by page, waits for the first offer to run out, and ends when nothing is left', async () => {
    const { world, handle, details, asked } = await start(25);
    await asked(3);
    await eventually(async () => {
      expect(await details()).toMatch(/^\*\*RUNNING\*\* · waiting 0 · offered 25 · .* · next offer runs out 20/);
    });
    await skipTime(test.temporal.client, handle.workflowId, (OFFER_MINUTES + 1) * MINUTE);

    expect(await handle.result()).toMatchObject({ state: 'FINISHED', counts: { CALL: 25 } });
    const [first = 0] = world.asked;
    expect(world.asked.at(-1)).toBeGreaterThanOrEqual(first + OFFER_MINUTES * MINUTE);
    expect(await details()).toMatch(/^\*\*FINISHED\*\* .* to be called 25/);
  });

  it.each([answered, visitChanged])('looks again as soon as it is told: $name', async (signal) => {
    const { world, handle, asked } = await start(1);
    await asked(1);
    world.offers = [];
    world.moved = 1;
    await handle.signal(signal);
    expect(await handle.result()).toMatchObject({ state: 'FINISHED', counts: { MOVED: 1, CALL: 0 } });
    expect(world.asked).toHaveLength(2);
  });

  it('takes no step while it is paused, not even when an offer runs out, and goes on when it is resumed', async () => {
    const { world, handle, details, asked } = await start(1);
    await asked(1);
    world.state = 'PAUSED';
    await handle.signal('paused');
    await eventually(async () => {
      expect(await details()).toContain('**PAUSED**');
    });
    await asked(2);
    await skipTime(test.temporal.client, handle.workflowId, (OFFER_MINUTES + 1) * MINUTE);
    expect(world.asked).toHaveLength(2);

    world.state = 'RUNNING';
    await handle.signal('resumed');
    expect(await handle.result()).toMatchObject({ state: 'FINISHED', counts: { CALL: 1 } });
  });

  it('ends when it is stopped', async () => {
    const { world, handle, asked } = await start(1, { state: 'PAUSED' });
    await asked(1);
    world.state = 'STOPPED';
    await handle.signal('stopped');
    expect(await handle.result()).toMatchObject({ state: 'STOPPED', counts: { STOPPED: 1 } });
  });

  it('gets through an outage', async () => {
    const { world, handle, asked } = await start(1, { outages: 3 });
    await asked(1);
    world.offers = [];
    await handle.signal('overdue');
    expect(await handle.result()).toMatchObject({ state: 'FINISHED' });
  });
});
