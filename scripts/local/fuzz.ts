import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { MediConnectClient } from '../../client/index.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startStack, type StackUrls } from '../stack/index.mjs';
import { answerOf, clearFaults, findSlots, logIn, setFault, tokenOf } from './client.ts';
import { NETWORK } from './network.ts';
import { startSystem } from './system.ts';

/*
 * `npm run fuzz`: Schemathesis sends what the OpenAPI document allows, and what it forbids, to every operation of the running API, as a patient and as an
 * administrator, one after another and in sequences. It fails on any 5xx and on any answer that the document does not describe. `-- --cases 50` for another number of cases an operation.
 */

const SCHEMATHESIS = 'schemathesis==4.32.5';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

/** Who asks: the sandbox's API clients, by role. */
const ROLES = { patient: 'riverside-patient-0', administrator: 'riverside-desk' };

interface Scenario {
  readonly recorder: {
    readonly interactions: Readonly<Record<string, { readonly response?: { readonly status_code: number } | null }>>;
  };
}

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Only operations whose operationId matches this expression. */
    only: { type: 'string' },
  },
});
const root = process.cwd();
const folder = path.join(root, '.local', 'fuzz');
const say = (line: string) => process.stdout.write(`${line}\n`);

process.exitCode = await fuzz();

async function fuzz(): Promise<number> {
  const schemathesis = await installed();
  const stack = await startStack({ root, log: say, onDown: () => process.kill(process.pid, 'SIGTERM') });
  try {
    return await fuzzOn(stack.urls, schemathesis);
  } finally {
    await stack.stop();
  }
}

async function fuzzOn(urls: StackUrls, schemathesis: string): Promise<number> {
  const system = await startSystem({
    root,
    urls,
    name: 'mediconnect_fuzz',
    log: say,
    // What is asked is what the API answers, not how often.
    env: { RATE_LIMIT_PER_MINUTE: '1000000' },
    onLine: (role, line) => {
      if (/"level":"(error|fatal)"/.test(line)) say(`${role}: ${line}`);
    },
  });
  try {
    const desk = await logIn(system, ROLES.administrator);
    const known = await someRows(system.sandboxUrl, await logIn(system, ROLES.patient), desk);
    const operations = await operationsOf(system.apiUrl);
    const failed: string[] = [];
    for (const [role, clientId] of Object.entries(ROLES)) {
      say(`\nAs ${role}, ${operations.length} operations, ${values.cases} cases each, seed ${values.seed}:`);
      // A token lives an hour, a run of every operation can take longer.
      const sendAs = async (name: string, what: readonly string[]) => {
        const token = await tokenOf(system, clientId);
        const ok = await send({ schemathesis, apiUrl: system.apiUrl, role, token, known }, name, what);
        if (!ok) failed.push(`${name} as ${role}`);
      };
      const left = [...operations];
      const takeTurns = async () => {
        for (let operationId = left.shift(); operationId !== undefined; operationId = left.shift()) {
          await sendAs(operationId, [`--include-operation-id=${operationId}`, '--phases=examples,fuzzing']);
        }
      };
      await Promise.all([takeTurns(), takeTurns()]);
      const all = operations.map((operationId) => `--include-operation-id=${operationId}`);
      // On its own: together with it Schemathesis ends the random cases of some operations early.
      await sendAs('the limits of each field', ['--phases=coverage', ...all]);
      // What one operation answers goes into the next.
      await sendAs('sequences', ['--phases=stateful', ...all]);
    }
    say(failed.length === 0 ? '\nNo operation failed.' : `\nFailed: ${failed.join(', ')}`);
    return failed.length === 0 ? 0 : 1;
  } finally {
    await system.stop();
  }
}

/** The operations that were asked for, by their operationId, in the order of the document. */
async function operationsOf(apiUrl: string): Promise<string[]> {
  const { paths } = (await (await fetch(`${apiUrl}/openapi.json`)).json()) as {
    paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>;
  };
  const only = new RegExp(values.only ?? '');
  const found = Object.values(paths)
    .flatMap((path) => Object.values(path))
    .flatMap(({ operationId }) => (operationId !== undefined && only.test(operationId) ? [operationId] : []));
  if (found.length === 0) throw new Error(`no operationId matches ${values.only}`);
  return found;
}

/** What Schemathesis sends, and as whom. */
interface Order {
  readonly schemathesis: string;
  readonly apiUrl: string;
  readonly role: string;
  readonly token: string;
  readonly known: Known;
}

/** Sends cases and says in one line how they were answered; with everything Schemathesis has to say when a check failed. Returns whether none did. */
async function send(order: Order, name: string, what: readonly string[]): Promise<boolean> {
  const report = path.join(folder, `${order.role}-${name.replaceAll(' ', '-')}.ndjson`);
  const { code, output } = await run(
    order.schemathesis,
    [
      'run',
      `${order.apiUrl}/openapi.json`,
      ...what,
      `--header=Authorization: Bearer ${order.token}`,
      `--checks=${CHECKS.join(',')}`,
      `--max-examples=${values.cases}`,
      `--seed=${values.seed}`,
      '--report=ndjson',
      `--report-ndjson-path=${report}`,
      '--continue-on-failure',
      '--warnings=off',
      '--no-color',
    ],
    {
      SCHEMATHESIS_HOOKS: path.join(root, 'scripts', 'local', 'fuzz-hooks.py'),
      FUZZ_KNOWN: JSON.stringify(order.known),
    },
  );
  const answers = await answersIn(report);
  const ok = code === 0 && answers.size > 0;
  say(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${[...answers].map(([status, n]) => `${n} × ${status}`).join(', ')}`);
  if (!ok) say(output);
  return ok;
}

/** How many answers of each status a report holds: a run of nothing but 401 or 404 would prove little. */
async function answersIn(report: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(report, 'utf8')).split('\n').filter(Boolean)) {
    const { ScenarioFinished: scenario } = JSON.parse(line) as { readonly ScenarioFinished?: Scenario };
    for (const { response } of Object.values(scenario?.recorder.interactions ?? {})) {
      const status = String(response?.status_code ?? 'no answer');
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  }
  return new Map([...counts].sort());
}

/** Values that lead somewhere, by the name of a parameter, header or field. */
interface Known {
  readonly anywhere: Readonly<Record<string, readonly unknown[]>>;
  readonly headers: Readonly<Record<string, readonly unknown[]>>;
  readonly body: Readonly<Record<string, readonly unknown[]>>;
}

/** Makes a row of each kind at one clinic and returns their ids, by the names of the API. */
async function someRows(sandboxUrl: string, patient: MediConnectClient, desk: MediConnectClient): Promise<Known> {
  const [clinic] = NETWORK;
  const [provider, away, ill] = clinic?.providers ?? [];
  const [person] = clinic?.patients ?? [];
  if (!clinic || !provider || !away || !ill || !person) throw new Error('the network is empty');
  const { clinicId } = clinic;
  const { patientId } = person;
  const { providerId } = provider;
  const nth = <Item>(items: readonly Item[], n: number): Item => {
    const item = items.at(n);
    if (item === undefined) throw new Error(`number ${n} of ${items.length}`);
    return item;
  };
  const visit = { patientId, providerId, durationMinutes: 30 };
  const book = async (appointmentTime: string, whose = providerId) => {
    const body = { ...visit, providerId: whose, appointmentTime };
    const { appointmentId } = await answerOf(patient.POST('/api/v1/appointments', { body }));
    return appointmentId;
  };
  const callInSick = async (absent: string, steps: 'other_day'[]) => {
    const { starts: theirs } = await findSlots(patient, absent, 6);
    await book(nth(theirs, 0), absent);
    const body = { providerId: absent, from: nth(theirs, 0), to: nth(theirs, -1), steps };
    const { sickDayId } = await answerOf(desk.POST('/api/v1/sick-days', { body }));
    return sickDayId;
  };

  // The worker plans the confirmation of the first booking, and it fails.
  await setFault(sandboxUrl, {
    vendor: 'twilio',
    match: { to: person.phone, method: 'POST' },
    kind: 'status',
    status: 400,
    code: 21612,
  });
  const { starts, date } = await findSlots(patient, providerId, 5);
  const appointmentIds = [await book(nth(starts, 0))];
  const { notificationId } = await eventually(async () => {
    const failed = desk.GET('/api/v1/notifications', { params: { query: { state: 'FAILED' } } });
    return nth((await answerOf(failed)).notifications, 0);
  });
  await clearFaults(sandboxUrl);
  appointmentIds.push(await book(nth(starts, 2)));
  // A visit that is offered another time, and one that somebody has to call about.
  const sickDayIds = [await callInSick(away.providerId, ['other_day']), await callInSick(ill.providerId, [])];
  const from = new Date(Date.now() + 200 * 86_400_000).toISOString();
  const to = new Date(Date.now() + 201 * 86_400_000).toISOString();
  const far = from.slice(0, 10);
  const { replayId } = await answerOf(
    desk.POST('/api/v1/notification-replays', { body: { notificationIds: [notificationId], reason: 'fuzz' } }),
  );
  const { holdId } = await answerOf(
    patient.POST('/api/v1/holds', { body: { providerId, startTime: nth(starts, -1), durationMinutes: 30 } }),
  );
  const { entryId } = await answerOf(
    patient.POST('/api/v1/waitlist-entries', { body: { ...visit, earliestDate: date, latestDate: date } }),
  );
  const { seriesId } = await answerOf(
    patient.POST('/api/v1/appointment-series', {
      body: { ...visit, appointmentTime: nth(starts, 4), everyWeeks: 1, count: 3 },
    }),
  );
  const { closureId } = await answerOf(
    desk.POST('/api/v1/clinics/{clinicId}/closures', {
      params: { path: { clinicId } },
      body: { fromDate: far, toDate: far, name: 'Fuzz' },
    }),
  );
  const { timeOffId } = await answerOf(
    desk.POST('/api/v1/providers/{providerId}/time-off', { params: { path: { providerId } }, body: { from, to } }),
  );
  const { offerId } = await eventually(async () => nth((await answerOf(desk.GET('/api/v1/offers'))).offers, 0));
  const { taskId } = await eventually(async () => nth((await answerOf(desk.GET('/api/v1/tasks'))).tasks, 0));
  const { runId } = await answerOf(desk.POST('/api/v1/ehr-syncs', { body: {} }));
  return {
    anywhere: {
      clinicId: [clinicId],
      providerId: [providerId, away.providerId],
      patientId: [patientId],
      appointmentId: appointmentIds,
      notificationId: [notificationId],
      replayId: [replayId],
      holdId: [holdId],
      entryId: [entryId],
      seriesId: [seriesId],
      closureId: [closureId],
      timeOffId: [timeOffId],
      sickDayId: sickDayIds,
      offerId: [offerId],
      taskId: [taskId],
      runId: [runId],
      appointmentTime: starts,
      startTime: starts,
      date: [date],
    },
    headers: { 'if-match': ['"1"', '"2"'] },
    body: { from: [from], to: [to], durationMinutes: [30], notificationIds: [[notificationId]] },
  };
}

/** Schemathesis in a Python environment of this clone's own, from the package index. Returns its program. */
async function installed(): Promise<string> {
  const environment = path.join(folder, SCHEMATHESIS.replace('==', '-'));
  const program = path.join(environment, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  say(`Installing ${SCHEMATHESIS} in ${path.relative(root, environment)}`);
  const made = await run('python3', ['-m', 'venv', environment]);
  if (made.code !== 0) throw new Error(`Python 3.10 or newer with its venv module is needed.\n${made.output}`);
  const pip = path.join(environment, 'bin', 'pip');
  const got = await run(pip, ['install', '--quiet', '--disable-pip-version-check', SCHEMATHESIS]);
  if (got.code !== 0) throw new Error(`${SCHEMATHESIS} could not be installed from the package index.\n${got.output}`);
  return program;
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
