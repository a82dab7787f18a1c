import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTemporalClient, type TemporalClient } from '../../../src/integrations/temporal/client.ts';
import { ensureSchedules } from '../../../src/integrations/temporal/schedules.ts';
import { answers, ensureNamespace, ensureSearchAttributes } from '../../../src/integrations/temporal/set-up.ts';
import { EHR_NIGHTLY_SYNC_SCHEDULE } from '../../../src/workflows/messages.ts';
import { SCHEDULES } from '../../../src/workflows/schedules.ts';
import { searchAttributes } from '../../../src/workflows/search-attributes.ts';
import { testServers } from '../../support/servers.ts';

describe('what migrate sets up in Temporal', () => {
  let temporal: TemporalClient;
  beforeAll(() => {
    const namespace = `set-up-${randomUUID().slice(0, 8)}`;
    temporal = createTemporalClient({ address: testServers().temporalAddress, namespace });
  });
  afterAll(() => temporal.close());

  it('makes the namespace and the search attributes, once', async () => {
    const wanted = Object.values(searchAttributes);

    expect(await ensureNamespace(temporal, 3)).toBe(true);
    expect(await ensureSearchAttributes(temporal, wanted)).toEqual(wanted.map(({ name }) => name));

    expect(await ensureNamespace(temporal, 3)).toBe(false);
    expect(await ensureSearchAttributes(temporal, wanted)).toEqual([]);
  });

  it('makes the nightly schedule, brings it back to what is declared, and keeps an operator’s pause', async () => {
    const handle = temporal.client.schedule.getHandle(EHR_NIGHTLY_SYNC_SCHEDULE);

    expect(await ensureSchedules(temporal.client, SCHEDULES)).toEqual([EHR_NIGHTLY_SYNC_SCHEDULE]);
    expect(await ensureSchedules(temporal.client, SCHEDULES)).toEqual([]);
    const [next] = (await handle.describe()).info.nextActionTimes;
    expect(next?.toISOString()).toMatch(/T02:30:00\.000Z$/);

    await handle.update((present) => ({ ...present, spec: { calendars: [{ hour: 14, minute: 0 }] } }));
    await handle.pause('the EHR is being moved');
    expect(await ensureSchedules(temporal.client, SCHEDULES)).toEqual([EHR_NIGHTLY_SYNC_SCHEDULE]);

    const { info, state, policies, action } = await handle.describe();
    expect(info.nextActionTimes[0]?.toISOString()).toMatch(/T02:30:00\.000Z$/);
    expect(state).toMatchObject({ paused: true, note: 'the EHR is being moved' });
    expect(policies.overlap).toBe('SKIP');
    expect(action).toMatchObject({ workflowType: 'syncEhr', taskQueue: 'sync', args: [{ trigger: 'nightly' }] });
  });

  it('sees within its time that nobody answers', async () => {
    const nobody = createTemporalClient({ address: '127.0.0.1:1', namespace: 'default' });
    const began = performance.now();
    expect(await answers(nobody, 500)).toBe(false);
    expect(performance.now() - began).toBeLessThan(5_000);
    await nobody.close();
  });
});
