import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { eventually } from '../../test/support/eventually.ts';
import { startStack, type StackUrls } from '../stack/index.mjs';
import { findSlots, logIn, type ApiClient } from './client.ts';
import { NETWORK } from './network.ts';
import { startSystem } from './system.ts';

/*
 * `npm run fuzz`: Schemathesis sends what the OpenAPI document allows, and what it forbids, to every operation of the running API, as a patient and as an
 * administrator. It fails on any 5xx and on any answer that the document does not describe. `-- --cases 50` for another number of cases an operation.
 */

const SCHEMATHESIS = 'schemathesis==4.32.5';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

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
    const patient = await logIn(system, 'riverside-patient-0');
    const desk = await logIn(system, 'riverside-desk');
    const ids = await someRows(patient, desk);
    let failed = 0;
    for (const [who, { token }] of [['a patient', patient] as const, ['an administrator', desk] as const]) {
      say(`\nAs ${who}, ${values.cases} cases an operation, seed ${values.seed}:`);
      const code = await run(
        schemathesis,
        [
          'run',
          `${system.apiUrl}/openapi.json`,
          `--header=Authorization: Bearer ${token}`,
          `--checks=${CHECKS.join(',')}`,
          '--phases=examples,fuzzing',
          `--max-examples=${values.cases}`,
          `--seed=${values.seed}`,
          '--continue-on-failure',
          '--warnings=off',
          '--workers=2',
          '--no-color',
          ...(values.only === undefined ? [] : [`--include-operation-id-regex=${values.only}`]),
        ],
        { SCHEMATHESIS_HOOKS: path.join(root, 'scripts', 'local', 'fuzz-hooks.py'), FUZZ_IDS: JSON.stringify(ids) },
      );
      if (code !== 0) failed += 1;
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await system.stop();
  }
}

/** One row of each kind that a patient can make, and the ids of the clinic they are at, by the names of the API. */
async function someRows(patient: ApiClient, desk: ApiClient): Promise<Readonly<Record<string, readonly string[]>>> {
  const [clinic] = NETWORK;
  const [provider] = clinic?.providers ?? [];
  const [person] = clinic?.patients ?? [];
  if (clinic === undefined || provider === undefined || person === undefined) throw new Error('the network is empty');
  const { patientId } = person;
  const { providerId } = provider;
  const { starts, date } = await findSlots(patient, providerId, 5);
  const make = async (url: string, body: object, id: string) => {
    const answer = await patient.post(url, body);
    if (answer.status !== 201) throw new Error(`${url} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return [String(answer.body[id])];
  };
  const visit = { patientId, providerId, durationMinutes: 30 };
  const appointmentId = await make('/appointments', { ...visit, appointmentTime: starts[0] }, 'appointmentId');
  const sync = await desk.post('/ehr-syncs', {});
  // The worker plans the confirmation of the booking.
  const notificationId = await eventually(async () => {
    const { body } = await desk.get('/notifications');
    const [first] = body['notifications'] as { notificationId: string }[];
    if (first === undefined) throw new Error('nothing was sent');
    return first.notificationId;
  });
  return {
    clinicId: [clinic.clinicId],
    providerId: [providerId],
    patientId: [patientId],
    appointmentId,
    notificationId: [notificationId],
    holdId: await make('/holds', { providerId, startTime: starts.at(-1), durationMinutes: 30 }, 'holdId'),
    entryId: await make('/waitlist-entries', { ...visit, earliestDate: date, latestDate: date }, 'entryId'),
    runId: [String(sync.body['runId'])],
    appointmentTime: starts,
    startTime: starts,
    date: [date],
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
  if (made !== 0) throw new Error('Python 3.10 or newer with its venv module is needed.');
  const pip = path.join(environment, 'bin', 'pip');
  if ((await run(pip, ['install', '--quiet', '--disable-pip-version-check', SCHEMATHESIS])) !== 0) {
    throw new Error(`${SCHEMATHESIS} could not be installed from the package index.`);
  }
  return program;
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, ...env }, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
