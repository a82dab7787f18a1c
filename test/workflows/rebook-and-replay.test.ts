import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import type { ReplayStatus } from '../../src/activities/replay.ts';
import type { RoundStart } from '../../src/activities/waitlist.ts';
import { workflowIds, WORKFLOWS } from '../../src/workflows/messages.ts';
import { eventually } from '../support/eventually.ts';
import { temporalTest, type TemporalTest } from '../support/temporal-test.ts';

type Fakes = Pick<Activities, 'beginRound' | 'fillRound' | 'replayPage'>;

describe('rebooking and replaying', () => {
  const rounds = new Map<string, { state: RoundStart['state']; failures: number; fills: number }>();
  interface FakeReplay {
    /** The row's, which pausing and stopping write. */
    state: ReplayStatus['state'];
    begun: number;
    done: number;
    readonly hold: Promise<void> | undefined;
  }
  const replays = new Map<string, FakeReplay>();
  const PAGES = 4;
  let test: TemporalTest;
  let worker: { readonly stop: () => Promise<void> };

  const fakes = {
    beginRound: ({ roundId }) =>
      Promise.resolve({
        state: rounds.get(roundId)?.state ?? 'RELEASED',
        providerId: 'provider-1',
        slotStart: '2025-03-15T10:00:00.000Z',
        deadline: '2025-03-10T10:05:00.000Z',
      }),
    fillRound({ roundId }) {
      const round = rounds.get(roundId);
      if (round === undefined) throw ApplicationFailure.nonRetryable('not_found', 'not_found');
      round.fills += 1;
      if (round.failures > 0) {
        round.failures -= 1;
        throw ApplicationFailure.retryable('database_unavailable', 'database_unavailable');
      }
      return Promise.resolve({ outcome: 'filled' as const, appointmentId: 'appointment-2' });
    },
    async replayPage({ replayId }) {
      const replay = replays.get(replayId);
      if (replay === undefined) throw ApplicationFailure.nonRetryable('not_found', 'not_found');
      replay.begun += 1;
      await replay.hold;
      if (replay.state === 'RUNNING') replay.done += 1;
      if (replay.done === PAGES) replay.state = 'FINISHED';
      const { state, done } = replay;
      return { state, pending: (PAGES - done) * 25, queued: done * 25, notDue: 0, notFailed: 0 };
    },
  } satisfies Fakes;

  beforeAll(async () => {
    test = await temporalTest();
    worker = await test.startWorker(fakes);
  });
  afterAll(async () => {
    await worker.stop();
    await test.close();
  });

  const detailsOf = async (workflowId: string) => {
    const handle = test.temporal.client.workflow.getHandle(workflowId);
    return (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails;
  };

  function rebook(round: { state: RoundStart['state']; failures: number }) {
    const roundId = randomUUID();
    rounds.set(roundId, { ...round, fills: 0 });
    return test.temporal.client.workflow.start(WORKFLOWS.rebookFreedSlot, {
      workflowId: workflowIds.rebook(roundId),
      taskQueue: test.taskQueue,
      args: [{ roundId, clinicId: 'clinic-1' }],
    });
  }

  it('fills the freed slot through outages, and says with whom', async () => {
    const handle = await rebook({ state: 'OPEN', failures: 2 });
    expect(await handle.result()).toEqual({ outcome: 'filled', appointmentId: 'appointment-2' });
    expect(await detailsOf(handle.workflowId)).toBe(
      '**FILLED** · slot of 2025-03-15T10:00:00.000Z · new appointment `appointment-2`',
    );
  });

  it('does nothing about a round that somebody has closed', async () => {
    const handle = await rebook({ state: 'FILLED', failures: 0 });
    expect(await handle.result()).toBeUndefined();
    expect(rounds.get(handle.workflowId.replace('rebook-', ''))?.fills).toBe(0);
  });

  async function replay(hold?: Promise<void>) {
    const replayId = randomUUID();
    const state: FakeReplay = { state: 'RUNNING', begun: 0, done: 0, hold };
    replays.set(replayId, state);
    const handle = await test.temporal.client.workflow.start(WORKFLOWS.replayNotifications, {
      workflowId: workflowIds.replay(replayId),
      taskQueue: test.taskQueue,
      args: [{ replayId, clinicId: 'clinic-1' }],
    });
    return { handle, state };
  }

  /** A replay that is in the middle of its first page until it is let go. */
  async function heldReplay() {
    let letGo: () => void = () => undefined;
    const { handle, state } = await replay(new Promise((resolve) => (letGo = resolve)));
    await eventually(() => {
      expect(state.begun).toBe(1);
    });
    return { handle, state, letGo };
  }

  it('replays page by page and shows how far it is', async () => {
    const { handle, state } = await replay();
    expect(await handle.result()).toEqual({ state: 'FINISHED', pending: 0, queued: 100, notDue: 0, notFailed: 0 });
    expect(state).toMatchObject({ done: 4 });
    expect(await detailsOf(handle.workflowId)).toBe(
      '**FINISHED** · queued again 100 · no longer due 0 · had not failed 0 · left 0',
    );
  });

  it('waits while its row is paused, asks nothing meanwhile, and goes on', async () => {
    const { handle, state, letGo } = await heldReplay();
    state.state = 'PAUSED';
    await handle.signal('paused');
    letGo();
    await eventually(async () => {
      expect(await detailsOf(handle.workflowId)).toContain('**PAUSED**');
    });
    expect(state.done).toBe(0);

    state.state = 'RUNNING';
    await handle.signal('resumed');
    expect(await handle.result()).toMatchObject({ state: 'FINISHED', queued: 100 });
  });

  it('stays stopped in whatever run it is told so: the row says it, no signal has to be carried over', async () => {
    const { handle, state, letGo } = await heldReplay();
    state.state = 'STOPPED';
    letGo();

    expect(await handle.result()).toMatchObject({ state: 'STOPPED', pending: 100, queued: 0 });
  });
});
