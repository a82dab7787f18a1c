import { randomBytes } from 'node:crypto';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import type { MediConnectClient } from '../../client/index.ts';
import { createConnection, type Connection } from '../../src/db/connection.ts';
import { IDENTIFIER_SYSTEMS } from '../../src/integrations/fhir/appointment-resource.ts';
import { EHR_NIGHTLY_SYNC_SCHEDULE, workflowIds } from '../../src/workflows/messages.ts';
import { skipTime } from '../../test/support/time-skipping.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startStack } from '../stack/index.mjs';
import { printAddresses } from './addresses.ts';
import { answerOf, clearFaults, ehrAppointments, findSlots, inboxOf, logIn, setFault } from './client.ts';
import { NETWORK, type SeededClinic, type SeededPatient, type SeededProvider } from './network.ts';
import { createStory, table, type Story } from './story.ts';
import { startSystem, type LocalSystem } from './system.ts';

/* `npm run demo`: the main job as a story on real parts. `-- --exit` ends after the story. */

interface Stage {
  readonly story: Story;
  readonly system: LocalSystem;
  readonly temporal: Client;
  readonly owner: Connection;
  readonly clinic: SeededClinic;
  readonly provider: SeededProvider;
  readonly desk: MediConnectClient;
  readonly support: MediConnectClient;
}

interface Booked {
  readonly appointmentId: string;
  readonly patient: SeededPatient;
  readonly client: MediConnectClient;
  readonly startsAt: string;
}

async function main(): Promise<number> {
  const root = process.cwd();
  const exits = process.argv.includes('--exit');
  const began = performance.now();
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

  say('Starting PostgreSQL, Redis, RabbitMQ, Temporal, the sandbox and the three roles of MediConnect.');
  const stack = await startStack({ root, log: say, onDown: () => process.kill(process.pid, 'SIGTERM') });
  try {
    const system = await startSystem({
      root,
      urls: stack.urls,
      name: `mediconnect_demo_${randomBytes(3).toString('hex')}`,
      apiPort: 3000,
      sandboxPort: 3080,
      log: say,
      // The story asks more often than a person would.
      env: { RATE_LIMIT_PER_MINUTE: '5000' },
      onLine: (role, line) => {
        if (/"level":"(error|fatal)"/.test(line)) say(`   ${role}: ${line}`);
      },
    });
    try {
      const story = createStory(say);
      const shown = await Promise.race([
        tell(story, system, stack.urls.temporalAddress),
        stopped.then(() => undefined),
      ]);
      say(`\n${table(story.results)}`);
      const wrong = story.results.filter((result) => !result.ok).length;
      say(
        `\n${story.results.length - wrong} of ${story.results.length} steps ok, ${((performance.now() - began) / 1000).toFixed(0)} s in all.`,
      );
      if (!exits) {
        printAddresses(say, system, stack.urls, shown);
        say('\nEverything is left running. Ctrl-C stops it.');
        await stopped;
      }
      return wrong === 0 && story.results.length > 0 ? 0 : 1;
    } finally {
      say('stopping');
      await system.stop();
    }
  } finally {
    await stack.stop();
  }
}

/** The story. Returns the appointment whose history is worth a look. */
async function tell(story: Story, system: LocalSystem, temporalAddress: string): Promise<string> {
  const [clinic] = NETWORK;
  const provider = clinic?.providers[0];
  if (clinic === undefined || provider === undefined) throw new Error('the network is empty');
  const connection = await TemporalConnection.connect({ address: temporalAddress });
  const owner = createConnection({
    url: system.databaseUrls.ownerUrl,
    poolSize: 1,
    name: 'demo',
    onError: () => undefined,
  });
  try {
    const stage: Stage = {
      story,
      system,
      clinic,
      provider,
      owner,
      temporal: new Client({ connection, namespace: system.namespace }),
      desk: await logIn(system, `${clinic.slug}-desk`),
      support: await logIn(system, `${clinic.slug}-support`),
    };
    const life = await aWholeLife(stage);
    const { cancelled, rebooked } = await aCancelledVisit(stage);
    await theNightlySync(stage, cancelled, rebooked);
    await aFailedReminder(stage);
    return life.appointmentId;
  } finally {
    await owner.close();
    await connection.close();
  }
}

async function aWholeLife(stage: Stage): Promise<Booked> {
  const { story, clinic, provider, system } = stage;
  story.chapter('A patient books, and the appointment runs itself');
  const visit = await book(stage, 0, 10);
  const { appointmentId, patient } = visit;
  story.tell(
    `${patient.givenName} has a visit with ${provider.name} at ${local(visit.startsAt, clinic.timeZone)} (${clinic.name}).`,
  );

  await story.step('the outbox tells the workflow', 'appointment workflow running', async () => {
    const row = await eventually(async () => {
      const found = await stage.owner.db
        .selectFrom('outbox')
        .select(['created_at', 'done_at'])
        .where('aggregate_id', '=', appointmentId)
        .where('event', '=', 'booked')
        .executeTakeFirstOrThrow();
      if (found.done_at === null) throw new Error('the relay has not told it yet');
      return { lagMs: found.done_at.getTime() - found.created_at.getTime() };
    });
    story.tell(`Outbox lag ${row.lagMs} ms from commit to workflow ${workflowIds.appointment(appointmentId)}.`);
    const { status } = await stage.temporal.workflow.getHandle(workflowIds.appointment(appointmentId)).describe();
    return `appointment workflow ${status.name.toLowerCase()}`;
  });
  await story.step('the confirmation arrives', '1 message, delivered', () => received(stage, patient, 1));

  story.tell('Now the days pass, by Temporal’s own time skipping on this one workflow.');
  let at = Date.now();
  for (const [index, offset] of ['P3D', 'P1D', 'PT2H'].entries()) {
    await story.step(
      `the reminder ${offset} before`,
      `reminder:${offset}, then ${index + 2} messages, delivered`,
      async () => {
        const next = await nextOf(stage, appointmentId, `reminder:${offset}`);
        story.tell(`Planned for ${local(next.at, clinic.timeZone)}.`);
        at = await skipTo(stage, appointmentId, at, Date.parse(next.at));
        return `${next.action}, then ${await received(stage, patient, index + 2)}`;
      },
    );
  }
  await story.step(
    'nobody marks the visit: it is left to a person',
    'SCHEDULED, and nothing more happens by itself',
    async () => {
      const next = await nextOf(stage, appointmentId, 'day_end_list');
      at = await skipTo(stage, appointmentId, at, Date.parse(next.at));
      return eventually(async () => {
        const { status, nextAction } = await answerOf(
          stage.desk.GET('/api/v1/appointments/{appointmentId}', { params: { path: { appointmentId } } }),
        );
        if (nextAction !== null) throw new Error(nextAction);
        return `${status}, and nothing more happens by itself`;
      });
    },
  );
  await story.step('nothing was sent twice', '4 messages in the inbox', async () => {
    const inbox = await inboxOf(system.sandboxUrl, patient.phone);
    return `${inbox.length} messages in the inbox`;
  });
  return visit;
}

async function aCancelledVisit(stage: Stage): Promise<{ cancelled: Booked; rebooked: string }> {
  const { story, provider, clinic, system } = stage;
  story.chapter('A patient cancels, and a waiting patient gets the slot');
  const visit = await book(stage, 1, 6);
  await story.step('their confirmation arrives', '1 message, delivered', () => received(stage, visit.patient, 1));
  const waiting = patientAt(stage, 2);
  const client = await logIn(system, `${clinic.slug}-patient-2`);
  await story.step('another patient joins the waitlist', '201 WAITING', async () => {
    const date = visit.startsAt.slice(0, 10);
    const { data, response } = await client.POST('/api/v1/waitlist-entries', {
      body: {
        patientId: waiting.patientId,
        providerId: provider.providerId,
        durationMinutes: 30,
        earliestDate: new Date(Date.parse(date) - 2 * 86_400_000).toISOString().slice(0, 10),
        latestDate: new Date(Date.parse(date) + 2 * 86_400_000).toISOString().slice(0, 10),
      },
    });
    return `${response.status} ${data?.status}`;
  });
  await story.step('the first patient cancels', '204', async () => {
    const { appointmentId } = visit;
    const { response } = await visit.client.DELETE('/api/v1/appointments/{appointmentId}', {
      params: { path: { appointmentId } },
    });
    return String(response.status);
  });
  let rebooked = '';
  await story.step(
    'the workflow’s child books the waiting patient',
    'SCHEDULED, booked via waitlist, same time',
    async () => {
      const found = await eventually(async () => {
        const { appointments } = await answerOf(
          client.GET('/api/v1/appointments', { params: { query: { status: 'SCHEDULED' } } }),
        );
        const [first] = appointments;
        if (first === undefined) throw new Error('not booked');
        return first;
      });
      rebooked = found.appointmentId;
      const round = await stage.owner.db
        .selectFrom('waitlist_round')
        .select(['round_id', 'created_at', 'closed_at'])
        .where('freed_appointment_id', '=', visit.appointmentId)
        .executeTakeFirstOrThrow();
      const ms = (round.closed_at?.getTime() ?? Number.NaN) - round.created_at.getTime();
      story.tell(`Workflow ${workflowIds.rebook(round.round_id)}, ${ms} ms from cancelled to rebooked.`);
      const sameTime = Date.parse(found.appointmentTime) === Date.parse(visit.startsAt);
      return `${found.status}, booked via ${found.bookedVia}, ${sameTime ? 'same time' : found.appointmentTime}`;
    },
  );
  await story.step('the waiting patient is told', '1 message, delivered', () => received(stage, waiting, 1));
  await story.step('the first patient is told too', '2 messages, delivered', () => received(stage, visit.patient, 2));
  return { cancelled: visit, rebooked };
}

async function theNightlySync(stage: Stage, cancelled: Booked, rebooked: string): Promise<void> {
  const { story, clinic, system } = stage;
  story.chapter('The clinic’s EHR learns of it at the nightly sync');
  await story.step('the Schedule ehr-nightly-sync runs, on demand', 'three appointments in the EHR', async () => {
    await stage.temporal.schedule.getHandle(EHR_NIGHTLY_SYNC_SCHEDULE).trigger();
    return eventually(async () => {
      const { ehrSyncs } = await answerOf(stage.desk.GET('/api/v1/ehr-syncs'));
      const [run] = ehrSyncs;
      if (run?.state !== 'FINISHED') throw new Error(run?.state ?? 'no run');
      story.tell(`The run's own account: ${JSON.stringify(run.counts)}.`);
      const resources = await ehrAppointments(system.sandboxUrl, clinic.slug);
      return `${resources.length === 3 ? 'three' : resources.length} appointments in the EHR`;
    });
  });
  await story.step('the cancelled visit there', 'cancelled, pat', async () => {
    const resource = await inEhr(stage, cancelled.appointmentId);
    const reason = resource['cancelationReason'] as { coding: { code: string }[] } | undefined;
    return `${String(resource['status'])}, ${reason?.coding[0]?.code ?? 'no reason'}`;
  });
  await story.step('the rebooked visit there', 'booked, same time', async () => {
    const resource = await inEhr(stage, rebooked);
    story.tell('As the EHR holds it:');
    for (const line of JSON.stringify(resource, null, 2).split('\n')) story.tell(`  ${line}`);
    const same = Date.parse(String(resource['start'])) === Date.parse(cancelled.startsAt);
    return `${String(resource['status'])}, ${same ? 'same time' : String(resource['start'])}`;
  });
}

async function aFailedReminder(stage: Stage): Promise<void> {
  const { story, system, support } = stage;
  story.chapter('A reminder fails, and support replays it');
  const visit = await book(stage, 4, 12);
  const { appointmentId, patient } = visit;
  await story.step('their confirmation arrives', '1 message, delivered', () => received(stage, patient, 1));
  await story.step(
    'Twilio refuses the number for a while; the reminder fails',
    'reminder:P3D FAILED after 1 attempt',
    async () => {
      await setFault(system.sandboxUrl, {
        vendor: 'twilio',
        match: { to: patient.phone, method: 'POST' },
        kind: 'status',
        status: 400,
        code: 21612,
      });
      const next = await nextOf(stage, appointmentId, 'reminder:P3D');
      await skipTo(stage, appointmentId, Date.now(), Date.parse(next.at));
      const failed = await eventually(() => notificationIn(support, appointmentId, 'FAILED'));
      story.tell(`Reason in the ledger: ${failed.reason}.`);
      return `${failed.kind} FAILED after ${failed.attempt} attempt`;
    },
  );
  await clearFaults(system.sandboxUrl);
  await story.step('support replays it', 'the same row DELIVERED after 2 attempts', async () => {
    const { notificationId } = await notificationIn(support, appointmentId, 'FAILED');
    const { replayId } = await answerOf(
      support.POST('/api/v1/notifications/{notificationId}/replay', {
        params: { path: { notificationId } },
        body: { reason: 'number works again' },
      }),
    );
    story.tell(`Workflow ${workflowIds.replay(replayId)}.`);
    const delivered = await eventually(() => notificationIn(support, appointmentId, 'DELIVERED', notificationId));
    return `the same row DELIVERED after ${delivered.attempt} attempts`;
  });
  await story.step('the patient has it, once', '2 messages, delivered', () => received(stage, patient, 2));
}

async function book(stage: Stage, patientNumber: number, daysAhead: number): Promise<Booked> {
  const { story, clinic, provider, system } = stage;
  const patient = patientAt(stage, patientNumber);
  const client = await logIn(system, `${clinic.slug}-patient-${patientNumber}`);
  let startsAt = '';
  let appointmentId = '';
  await story.step(`${patient.givenName} searches and books`, '201 SCHEDULED', async () => {
    const { date, starts } = await findSlots(client, provider.providerId, daysAhead);
    startsAt = starts[Math.floor(starts.length / 2)] ?? '';
    story.tell(`${starts.length} free slots on ${date}.`);
    const { data, response } = await client.POST('/api/v1/appointments', {
      body: {
        patientId: patient.patientId,
        providerId: provider.providerId,
        appointmentTime: startsAt,
        durationMinutes: 30,
      },
    });
    appointmentId = data?.appointmentId ?? '';
    story.tell(`Appointment ${appointmentId}, confirmation code ${data?.confirmationCode}.`);
    return `${response.status} ${data?.status}`;
  });
  if (!startsAt) throw new Error('nothing was booked');
  return { appointmentId, patient, client, startsAt };
}

function patientAt(stage: Stage, n: number): SeededPatient {
  const patient = stage.clinic.patients[n];
  if (patient === undefined) throw new Error('no such patient');
  return patient;
}

/** Waits for exactly so many messages and for the newest to be delivered, and shows it as the patient reads it. */
async function received(stage: Stage, patient: SeededPatient, count: number): Promise<string> {
  const address = patient.preferredChannel === 'sms' ? patient.phone : patient.email;
  return eventually(async () => {
    const inbox = await inboxOf(stage.system.sandboxUrl, address);
    const newest = inbox.at(-1);
    if (inbox.length < count || newest?.status !== 'delivered') throw new Error(`${inbox.length} messages`);
    stage.story.tell(`${newest.channel === 'sms' ? 'SMS' : 'Email'} to ${newest.to}: “${newest.text}”`);
    return `${inbox.length} message${inbox.length === 1 ? '' : 's'}, ${newest.status}`;
  });
}

async function nextOf(stage: Stage, appointmentId: string, action: string): Promise<{ action: string; at: string }> {
  return eventually(async () => {
    const { next } = await answerOf(
      stage.desk.GET('/api/v1/appointments/{appointmentId}/timeline', { params: { path: { appointmentId } } }),
    );
    if (next.action !== action || next.at === null) throw new Error(`next is ${next.action ?? 'nothing'}`);
    return { action: next.action, at: next.at };
  });
}

/** Lets the workflow's clock run from one instant to a second after another. Returns where it stands. */
async function skipTo(stage: Stage, appointmentId: string, from: number, to: number): Promise<number> {
  const target = to + 1_000;
  await skipTime(stage.temporal, workflowIds.appointment(appointmentId), target - from);
  return target;
}

async function notificationIn(
  support: MediConnectClient,
  appointmentId: string,
  state: 'FAILED' | 'DELIVERED',
  id?: string,
) {
  const { notifications } = await answerOf(
    support.GET('/api/v1/notifications', { params: { query: { appointmentId, state } } }),
  );
  const row = id === undefined ? notifications[0] : notifications.find((each) => each.notificationId === id);
  if (row === undefined) throw new Error(`none is ${state}`);
  return row;
}

async function inEhr(stage: Stage, appointmentId: string): Promise<Readonly<Record<string, unknown>>> {
  const resources = await ehrAppointments(stage.system.sandboxUrl, stage.clinic.slug);
  const found = resources.filter((resource) =>
    (resource['identifier'] as { system: string; value: string }[]).some(
      ({ system, value }) => system === IDENTIFIER_SYSTEMS.appointment && value === appointmentId,
    ),
  );
  const [resource] = found;
  if (resource === undefined || found.length !== 1) throw new Error(`${found.length} resources`);
  return resource;
}

function local(instant: string, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'short' }).format(
    new Date(instant),
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\nThe demo could not run: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
