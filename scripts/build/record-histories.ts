import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { WORKFLOWS, workflowIds } from '../../src/workflows/messages.ts';
import { workflowBundle } from './workflow-bundle.ts';
import { eventually } from '../../test/support/eventually.ts';
import { skipTime } from '../../test/support/time-skipping.ts';
import { temporalTest } from '../../test/support/temporal-test.ts';
import {
  aWorld,
  change,
  DAY,
  HOUR,
  MINUTE,
  worldActivities,
  type AppointmentWorld,
} from '../../test/workflows/appointment-world.ts';
import { aSickDay, OFFER_MINUTES, sickDayActivities, type SickDayWorld } from '../../test/workflows/sick-day-world.ts';
import { syncActivities } from '../../test/workflows/replay/sync-world.ts';

/*
 * Records one history of every kind of workflow from a real server, for the replay tests. Run it when a kind is new. A changed workflow must go on
 * replaying the histories that are there: they stand for the ones that sleep in production. Recording them anew is right only before the first release.
 *
 *   TEST_TEMPORAL_ADDRESS=127.0.0.1:7233 node --import tsx scripts/build/record-histories.ts [those whose names begin so]
 */

const TARGET = fileURLToPath(new URL('../../test/workflows/replay/histories', import.meta.url));
const PATCHED = fileURLToPath(new URL('../../test/workflows/replay/patched', import.meta.url));
const [, , only = ''] = process.argv;
const worlds = new Map<string, AppointmentWorld>();
const sickDays = new Map<string, SickDayWorld>();
const clinicIds = [randomUUID(), randomUUID()] as const;
const test = await temporalTest();
const { client } = test.temporal;
const replay = { left: 3, asked: 0, isPaused: true };
const worker = await test.startWorker({
  ...worldActivities(worlds),
  ...syncActivities(clinicIds),
  ...sickDayActivities(sickDays),
  replayPage: () => {
    replay.asked += 1;
    if (!replay.isPaused) replay.left -= 1;
    const { left, isPaused } = replay;
    const state = isPaused ? 'PAUSED' : left === 0 ? 'FINISHED' : 'RUNNING';
    return Promise.resolve({ state, pending: left * 25, queued: (3 - left) * 25, notDue: 0, notFailed: 0 });
  },
});
mkdirSync(TARGET, { recursive: true });

async function record(name: string, workflowId: string, target = path.join(TARGET, `${name}.json`)): Promise<void> {
  if (!name.startsWith(only)) return;
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const json = { workflowId, history: JSON.parse(historyToJSON(history), scrub) as unknown };
  writeFileSync(target, `${JSON.stringify(json, undefined, 1)}\n`);
  console.log(`${name}: ${history.events?.length ?? 0} events`);
}

/** Who recorded it, and in which folder of which machine, is nobody's business: stacks keep the part of a path that lies in the repository. */
function scrub(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (key === 'identity') return 'recorder';
  return key === 'stackTrace'
    ? value.replaceAll(/(?:file:\/\/)?\/[^\s()]*?\/(?=(?:src|test|scripts|node_modules)\/)/g, '')
    : value;
}

async function booked(inMs: number, given: Partial<AppointmentWorld> = {}) {
  const appointmentId = randomUUID();
  const world = { ...aWorld(appointmentId, inMs), ...given };
  worlds.set(appointmentId, world);
  const workflowId = workflowIds.appointment(appointmentId);
  const handle = await client.workflow.start(WORKFLOWS.appointment, {
    workflowId,
    taskQueue: test.taskQueue,
    args: [{ appointmentId, clinicId: randomUUID(), requestId: randomUUID() }],
    staticSummary: 'confirmation, reminders and completion of one appointment',
  });
  let now = Date.now();
  return {
    world,
    handle,
    workflowId,
    until: async (instant: number) => {
      await skipTime(client, workflowId, instant + 1_000 - now);
      now = instant + 1_000;
    },
    sent: (count: number) =>
      eventually(() => {
        if (world.sent.length < count) throw new Error(`${workflowId} has sent ${world.sent.length} of ${count}`);
      }),
  };
}

{
  const life = await booked(10 * DAY);
  await life.sent(1);
  await life.handle.signal('notificationSettled');
  await life.until(life.world.row.appointmentTime);
  await life.handle.signal('checkedIn', { version: change(life.world, { checkedIn: true }) });
  await life.until(life.world.row.appointmentTime + 30 * MINUTE + HOUR);
  await life.handle.result();
  await record('appointment-completed', life.workflowId);
}
{
  const moved = await booked(5 * DAY);
  await moved.sent(1);
  for (const days of [4, -1]) {
    const appointmentTime = moved.world.row.appointmentTime + days * DAY;
    await moved.handle.signal('rescheduled', { version: change(moved.world, { appointmentTime }) });
    await moved.sent(days > 0 ? 2 : 3);
  }
  await moved.until(moved.world.row.appointmentTime + 30 * MINUTE + HOUR);
  await moved.handle.result();
  await record('appointment-moved-twice', moved.workflowId);
}
{
  const cancelled = await booked(5 * DAY);
  await cancelled.sent(1);
  const roundId = randomUUID();
  cancelled.world.openRoundIds = [roundId];
  await cancelled.handle.signal('cancelled', { version: change(cancelled.world, { status: 'CANCELLED' }) });
  await cancelled.handle.result();
  await record('appointment-cancelled-and-rebooked', cancelled.workflowId);
  await client.workflow.getHandle(workflowIds.rebook(roundId)).result();
  await record('rebook-freed-slot', workflowIds.rebook(roundId));
}
{
  const away = await booked(5 * DAY, { brokerRefusals: 3 });
  await away.sent(1);
  await away.handle.signal('checkedIn', { version: change(away.world, { checkedIn: true }) });
  await away.handle.signal('overdue');
  await eventually(() => {
    if (away.world.plans.length < 3) throw new Error('not planned yet');
  });
  // Still asleep: the history ends in a timer, as most of them do in production.
  await record('appointment-asleep-after-broker-outage', away.workflowId);
  await away.handle.terminate();
}
{
  const workflowId = workflowIds.replay(randomUUID());
  const handle = await client.workflow.start(WORKFLOWS.replayNotifications, {
    workflowId,
    taskQueue: test.taskQueue,
    args: [{ replayId: workflowId, clinicId: randomUUID() }],
  });
  await eventually(() => {
    if (replay.asked === 0) throw new Error('not begun yet');
  });
  replay.isPaused = false;
  await handle.signal('resumed');
  await handle.result();
  await record('replay-notifications-paused-and-resumed', workflowId);
}
{
  const workflowId = `sync-ehr-nightly-${randomUUID()}`;
  const handle = await client.workflow.start(WORKFLOWS.syncEhr, {
    workflowId,
    taskQueue: test.taskQueue,
    args: [{ trigger: 'nightly' }],
  });
  await handle.result();
  await record('sync-ehr', workflowId);
  await record('sync-clinic-ehr-finished', workflowIds.syncClinicEhr(clinicIds[0]));
  await record('sync-clinic-ehr-refused', workflowIds.syncClinicEhr(clinicIds[1]));
}
{
  const sickDayId = randomUUID();
  const world = aSickDay(12);
  sickDays.set(sickDayId, world);
  const workflowId = workflowIds.sickDay(sickDayId);
  const handle = await client.workflow.start(WORKFLOWS.sickDay, {
    workflowId,
    taskQueue: test.taskQueue,
    args: [{ sickDayId, clinicId: randomUUID(), requestId: randomUUID() }],
    staticSummary: 'see to the visits of a provider who is away',
  });
  const asked = (times: number) =>
    eventually(() => {
      if (world.asked.length < times) throw new Error(`asked ${world.asked.length} times of ${times}`);
    });
  await asked(2);
  world.offers = world.offers.slice(1);
  world.moved = 1;
  await handle.signal('answered');
  await asked(3);
  world.state = 'PAUSED';
  await handle.signal('paused');
  await asked(4);
  world.state = 'RUNNING';
  await handle.signal('resumed');
  await asked(5);
  await skipTime(client, workflowId, (OFFER_MINUTES + 1) * MINUTE);
  await handle.result();
  await record('sick-day-answered-paused-and-run-out', workflowId);
}

await worker.stop();

{
  // As it would be had this release changed what the one before began: `patched()` leaves a marker that it must find again.
  const patched = await test.startWorker(worldActivities(worlds), {
    workflowBundle: { codePath: await workflowBundle(path.join(PATCHED, 'index.ts')) },
  });
  const life = await booked(5 * DAY);
  await life.sent(1);
  await life.handle.signal('cancelled', { version: change(life.world, { status: 'CANCELLED' }) });
  await life.handle.result();
  await record('patched', life.workflowId, path.join(PATCHED, 'history.json'));
  await patched.stop();
}

await test.close();
