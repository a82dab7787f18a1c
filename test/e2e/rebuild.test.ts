import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findSlots } from '../../scripts/local/client.ts';
import { createTemporalNamespace, startTemporal, type ServerHandle } from '../../scripts/stack/index.mjs';
import { workflowIds } from '../../src/workflows/messages.ts';
import { eventually } from '../support/eventually.ts';
import {
  book,
  delivered,
  messagesTo,
  nextAction,
  providerId,
  startTestSystem,
  workflowClock,
  type TestSystem,
} from './support.ts';

describe('Temporal’s data deleted', () => {
  let system: TestSystem;
  let server: ServerHandle & { temporalAddress: string };
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'mediconnect-temporal-'));
    server = await startTemporal({ directory });
    system = await startTestSystem({ temporalAddress: server.temporalAddress });
  }, 180_000);
  afterAll(async () => {
    await system.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  it('rebuild brings every live appointment back: reminders still go out, none twice', async () => {
    const { starts } = await findSlots(system.desk, providerId(0), 10);
    const appointmentId = await book(system, 26, starts[0] ?? '');
    await delivered(system, 26, 1);
    const before = workflowClock(system, appointmentId);
    await before.to((await nextAction(system, appointmentId, 'reminder:P3D')) + 1_000);
    await delivered(system, 26, 2);
    const due = await nextAction(system, appointmentId, 'reminder:P1D');

    await server.kill('SIGKILL');
    const files = readdirSync(directory).filter((file) => /\.db(-wal|-shm)?$/.test(file));
    expect(files).not.toEqual([]);
    for (const file of files) rmSync(join(directory, file));
    await server.restart();
    await createTemporalNamespace({ address: server.temporalAddress, name: system.namespace });
    await system.run('migrate');
    await system.restart('worker');
    await system.run('rebuild');

    await eventually(() => system.temporal.workflow.getHandle(workflowIds.appointment(appointmentId)).describe());
    expect(await nextAction(system, appointmentId, 'reminder:P1D')).toBe(due);
    const after = workflowClock(system, appointmentId);
    await after.to(due + 1_000);
    await delivered(system, 26, 3);
    expect(await messagesTo(system, 26)).toHaveLength(3);
  }, 180_000);
});
