import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { WORKFLOWS, workflowIds, type AppointmentInput } from '../../src/workflows/messages.ts';
import { searchAttributes } from '../../src/workflows/search-attributes.ts';
import { eventually } from '../support/eventually.ts';
import { skipTime } from '../support/time-skipping.ts';
import { aWorld, change, DAY, HOUR, MINUTE, worldActivities, type AppointmentWorld } from './appointment-world.ts';
import { temporalTest, type TemporalTest } from '../support/temporal-test.ts';

// temporal.api.enums.v1.EventType
const TIMER_STARTED = 17;
const TIME_SKIPPED = 60;

describe('the appointment workflow', () => {
  const worlds = new Map<string, AppointmentWorld>();
  let test: TemporalTest;
  let worker: { readonly stop: () => Promise<void> };

  beforeAll(async () => {
    test = await temporalTest();
    worker = await test.startWorker(worldActivities(worlds));
  });
  afterAll(async () => {
    await worker.stop();
    await test.close();
  });

  /** Starts the workflow of an appointment that is so far away. Its clock is moved by `until`. */
  async function booked(inMs: number, given: Partial<AppointmentWorld> = {}) {
    const appointmentId = randomUUID();
    const world = { ...aWorld(appointmentId, inMs), ...given };
    worlds.set(appointmentId, world);
    const input: AppointmentInput = { appointmentId, clinicId: 'clinic-1' };
    const handle = await test.temporal.client.workflow.start(WORKFLOWS.appointment, {
      workflowId: workflowIds.appointment(appointmentId),
      taskQueue: test.taskQueue,
      args: [input],
    });
    let clock = Date.now();
    return {
      world,
      handle,
      /** Skips to a little after the instant. */
      until: async (instant: number) => {
        await skipTime(test.temporal.client, handle.workflowId, instant + 1_000 - clock);
        clock = instant + 1_000;
      },
      sent: (...kinds: string[]) =>
        eventually(() => {
          expect(world.sent.map(({ kind }) => kind)).toEqual(kinds);
        }),
      planned: (atLeast: number) =>
        eventually(() => {
          expect(world.plans.length).toBeGreaterThanOrEqual(atLeast);
        }),
    };
  }

  /** How late each message went out after it was due. */
  const lateness = (world: AppointmentWorld) => {
    const due: Readonly<Record<string, number>> = {
      confirmation: world.row.timeSetAt,
      'reminder:P3D': world.row.appointmentTime - 3 * DAY,
      'reminder:P1D': world.row.appointmentTime - DAY,
      'reminder:PT2H': world.row.appointmentTime - 2 * HOUR,
    };
    return world.sent.map(({ kind, at }) => at - (due[kind] ?? Number.NaN));
  };

  it('confirms, reminds three times over ten days, each when it is due, and leaves the visit to a person', async () => {
    const { world, handle, until, sent } = await booked(10 * DAY);

    await sent('confirmation');
    await until(world.row.appointmentTime - 3 * DAY - MINUTE);
    await sent('confirmation');
    await until(world.row.appointmentTime - 3 * DAY);
    await sent('confirmation', 'reminder:P3D');
    await until(world.row.appointmentTime - DAY);
    await sent('confirmation', 'reminder:P3D', 'reminder:P1D');
    await until(world.row.appointmentTime);
    await sent('confirmation', 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H');
    await until(world.row.appointmentTime + 30 * MINUTE);
    await handle.result();

    expect(world.row.status).toBe('SCHEDULED');
    expect(world.sent).toHaveLength(4);
    for (const late of lateness(world)) {
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(15_000);
    }
  });

  it('completes by itself the visit of a patient who was checked in', async () => {
    const { world, handle, until, sent } = await booked(4 * DAY);
    await sent('confirmation');
    await until(world.row.appointmentTime);
    await handle.signal('checkedIn', { version: change(world, { checkedIn: true }) });
    await until(world.row.appointmentTime + 30 * MINUTE + HOUR);
    await handle.result();
    expect(world.row.status).toBe('COMPLETED');
  });

  it('plans anew when the visit is moved past a reminder, and sends what belongs to the new time only', async () => {
    const { world, handle, until, sent } = await booked(5 * DAY);
    await sent('confirmation');
    const firstTime = world.row.appointmentTime;

    const version = change(world, { appointmentTime: firstTime + 4 * DAY });
    await handle.signal('rescheduled', { version });
    await sent('confirmation', 'rescheduled');
    await until(firstTime - DAY);
    await sent('confirmation', 'rescheduled');

    await until(world.row.appointmentTime);
    await sent('confirmation', 'rescheduled', 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H');
    const [, , third] = world.sent;
    expect(third?.at).toBeGreaterThanOrEqual(world.row.appointmentTime - 3 * DAY);
    await handle.terminate();
  });

  it('sends no reminder when the visit is cancelled just before one fires, tells of the cancelling, and ends', async () => {
    const { world, handle, until, sent } = await booked(10 * DAY);
    await sent('confirmation');
    await until(world.row.appointmentTime - 3 * DAY - 5_000);

    await handle.signal('cancelled', { version: change(world, { status: 'CANCELLED' }) });
    await handle.result();

    expect(world.sent.map(({ kind }) => kind)).toEqual(['confirmation', 'cancelled']);
  });

  it('ignores signals of versions it has seen, and wakes at settlements and when it is told that it is overdue', async () => {
    const { world, handle, sent, planned } = await booked(10 * DAY);
    await sent('confirmation');
    await planned(1);
    await handle.signal('checkedIn', { version: change(world, { checkedIn: true }) });
    await planned(2);

    await handle.signal('checkedIn', { version: 2 });
    await handle.signal('rescheduled', { version: 1 });
    await handle.signal('notificationSettled');
    await planned(3);
    await handle.signal('overdue');
    await planned(4);

    expect(world.plans).toHaveLength(4);
    await handle.terminate();
  });

  it('goes on in another worker where it was', async () => {
    const other = await temporalTest();
    const appointmentId = randomUUID();
    const world = aWorld(appointmentId, 10 * DAY);
    const activities = worldActivities(new Map([[appointmentId, world]]));
    const first = await other.startWorker(activities);
    const handle = await other.temporal.client.workflow.start(WORKFLOWS.appointment, {
      workflowId: workflowIds.appointment(appointmentId),
      taskQueue: other.taskQueue,
      args: [{ appointmentId, clinicId: 'clinic-1' }],
    });
    await eventually(() => {
      expect(world.plans).toHaveLength(1);
    });
    await first.stop();

    const skipped = skipTime(other.temporal.client, handle.workflowId, 12 * DAY);
    const second = await other.startWorker(activities);
    await skipped;
    await handle.result();

    expect(world.sent.map(({ kind }) => kind)).toEqual([
      'confirmation',
      'reminder:P3D',
      'reminder:P1D',
      'reminder:PT2H',
    ]);
    expect(world.row.status).toBe('SCHEDULED');
    await second.stop();
    await other.close();
  });

  it('keeps a message while the broker is away and publishes it once', async () => {
    const { world, handle, sent } = await booked(10 * DAY, { brokerRefusals: 3 });

    await sent('confirmation');

    expect(world.brokerRefusals).toBe(0);
    await handle.terminate();
  });

  it('does not send what a cancelling overtook while the broker was away', async () => {
    const { world, handle } = await booked(10 * DAY, { brokerRefusals: 2 });
    await eventually(() => {
      expect(world.brokerRefusals).toBeLessThan(2);
    });

    await handle.signal('cancelled', { version: change(world, { status: 'CANCELLED' }) });
    await handle.result();

    expect(world.sent.map(({ kind }) => kind)).toEqual(['cancelled']);
  });

  it('starts the search for another patient as a child that outlives it', async () => {
    const { world, handle, sent } = await booked(10 * DAY);
    await sent('confirmation');
    const roundId = randomUUID();
    world.openRoundIds = [roundId];

    await handle.signal('cancelled', { version: change(world, { status: 'CANCELLED' }) });
    await handle.result();

    const child = test.temporal.client.workflow.getHandle(workflowIds.rebook(roundId));
    expect(await child.result()).toEqual({ outcome: 'filled', appointmentId: 'appointment-of-somebody-else' });
    expect(world.filledRounds).toEqual([roundId]);
    const { parentExecution } = await child.describe();
    expect(parentExecution?.workflowId).toBe(handle.workflowId);
  });

  it('starts a search for each slot that it left free', async () => {
    const { world, handle, sent } = await booked(10 * DAY);
    await sent('confirmation');
    const [first, second] = [randomUUID(), randomUUID()];
    world.openRoundIds = [first, second];

    await handle.signal('cancelled', { version: change(world, { status: 'CANCELLED' }) });
    await handle.result();

    for (const roundId of [first, second])
      await test.temporal.client.workflow.getHandle(workflowIds.rebook(roundId)).result();
    expect([...world.filledRounds].sort()).toEqual([first, second].sort());
  });

  it('costs few events: a booking with its confirmation at most 20, a reminder at most 8 and one workflow task', async () => {
    const { world, handle, until, sent } = await booked(10 * DAY);
    const typesOf = async () => ((await handle.fetchHistory()).events ?? []).map(({ eventType }) => Number(eventType));
    await sent('confirmation');
    const booking = await eventually(async () => {
      const types = await typesOf();
      expect(types.at(-1)).toBe(TIMER_STARTED);
      return types;
    });
    expect(booking.length).toBeLessThanOrEqual(20);
    const perReminder: number[] = [];
    for (const [index, at] of [3 * DAY, DAY, 2 * HOUR].entries()) {
      const before = (await typesOf()).filter((type) => type !== TIME_SKIPPED).length;
      await until(world.row.appointmentTime - at);
      await sent('confirmation', ...['reminder:P3D', 'reminder:P1D', 'reminder:PT2H'].slice(0, index + 1));
      await eventually(async () => {
        const types = (await typesOf()).filter((type) => type !== TIME_SKIPPED);
        expect(types.at(-1)).toBe(TIMER_STARTED);
        expect(types.length).toBeGreaterThan(before);
        perReminder.push(types.length - before);
      });
    }
    expect(perReminder).toHaveLength(3);
    for (const count of perReminder) expect(count).toBeLessThanOrEqual(8);
    await handle.terminate();
  });

  it('goes on when PostgreSQL is back, without a word from anybody', async () => {
    const { world, handle, sent } = await booked(10 * DAY, { databaseRefusals: 3 });
    await sent('confirmation');
    expect(world.databaseRefusals).toBe(0);
    await handle.terminate();
  });

  it('leaves the search alone when somebody else has started it', async () => {
    const roundId = randomUUID();
    const search = await test.temporal.client.workflow.start(WORKFLOWS.rebookFreedSlot, {
      workflowId: workflowIds.rebook(roundId),
      taskQueue: test.taskQueue,
      args: [{ roundId, clinicId: 'clinic-1' }],
    });
    await search.result();
    const { world, handle, sent } = await booked(10 * DAY);
    await sent('confirmation');
    world.openRoundIds = [roundId];

    await handle.signal('cancelled', { version: change(world, { status: 'CANCELLED' }) });
    await handle.result();

    expect(world.sent.map(({ kind }) => kind)).toEqual(['confirmation', 'cancelled']);
  });

  it('repeats nothing when it is started anew, and ends at once when nothing is left', async () => {
    const { world, handle, sent } = await booked(10 * DAY);
    await sent('confirmation');
    await handle.signal('cancelled', { version: change(world, { status: 'CANCELLED' }) });
    await handle.result();

    const again = await test.temporal.client.workflow.signalWithStart(WORKFLOWS.appointment, {
      workflowId: handle.workflowId,
      taskQueue: test.taskQueue,
      args: [{ appointmentId: world.row.appointmentId, clinicId: 'clinic-1' }],
      signal: 'overdue',
    });
    await again.result();

    expect(world.sent.map(({ kind }) => kind)).toEqual(['confirmation', 'cancelled']);
  });

  it('shows an operator the state without decoding anything', async () => {
    const { world, handle, planned } = await booked(10 * DAY);
    await planned(1);

    await eventually(async () => {
      const { typedSearchAttributes: shown } = await handle.describe();
      expect(shown.get(searchAttributes.clinicId)).toBe('clinic-1');
      expect(shown.get(searchAttributes.providerId)).toBe('provider-1');
      expect(shown.get(searchAttributes.appointmentStatus)).toBe('SCHEDULED');
      expect(shown.get(searchAttributes.reminderState)).toBe('PLANNED');
      expect(shown.get(searchAttributes.nextActionAt)).toEqual(new Date(world.row.appointmentTime - 3 * DAY));
    });
    const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toBe('**SCHEDULED** next reminder:P3D');

    const { events } = await handle.fetchHistory();
    const summaries = (events ?? []).flatMap((event) => {
      const data = event.userMetadata?.summary?.data;
      return data ? [Buffer.from(data).toString()] : [];
    });
    expect(summaries).toContain(
      JSON.stringify(`until reminder:P3D, due ${new Date(world.row.appointmentTime - 3 * DAY).toISOString()}`),
    );
    for (const summary of summaries) expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(200);
    await handle.terminate();
  });

  it('fails, for an operator to see, when the row is not there', async () => {
    const { handle, world } = await booked(10 * DAY);
    worlds.delete(world.row.appointmentId);
    await handle.signal('overdue');

    const failure: unknown = await handle.result().catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const cause: unknown = (failure as WorkflowFailedError).cause?.cause;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({ type: 'not_found', message: 'not_found' });
  });
});
