import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import type pg from 'pg';
import type { Connection } from '../src/db/connection.ts';
import { createSchedulingDeps, type SchedulingDeps } from '../src/scheduling/act.ts';
import { bookAppointment } from '../src/scheduling/visits/book.ts';
import { flood, steady, volley, type Call } from './load.ts';
import { cpuSeconds, median, quantile, watchMachine } from './measure.ts';
import { print } from './report.ts';
import type { BenchWorld } from './world.ts';

const CLIENTS = 32;
const ROUNDS = 3;
const SECONDS = 8;
/** Node gets a good deal faster in its first seconds. */
const WARM_UP_SECONDS = 5;
const PREPARED_REQUESTS = 150_000;

/**
 * Booking over HTTP, every check on, against the limit: pgbench running the very statement that the API sends, in turns in the same run. Both book
 * visits that meet no other, so that every one succeeds.
 */
export async function benchBooking(world: BenchWorld, log: (line: string) => void): Promise<void> {
  let next = 0;
  log(`preparing ${PREPARED_REQUESTS} requests for pgbench`);
  await prepareRequests(world, PREPARED_REQUESTS);
  let used = 0;
  next = PREPARED_REQUESTS;
  const bookingCall = (): Call => call(world, next++);

  await flood(world.apiUrl, { connections: CLIENTS, seconds: WARM_UP_SECONDS, next: bookingCall });
  const ratios: number[] = [];
  const limits: number[] = [];
  const rates: number[] = [];
  const cpuOfApi: number[] = [];
  const cpuOfLimit: number[] = [];
  const machine = watchMachine();
  for (let round = 0; round < ROUNDS; round += 1) {
    log(`booking, round ${round + 1} of ${ROUNDS}`);
    const pgbench = async (): Promise<void> => {
      const cpu = cpuSeconds(world.postgresPid);
      const { perSecond, count } = await runPgbench(world, used);
      used += count.reserved;
      limits.push(perSecond);
      cpuOfLimit.push(((cpuSeconds(world.postgresPid) - cpu) / count.booked) * 1e6);
    };
    const http = async (): Promise<void> => {
      const cpu = processes(world).reduce((sum, pid) => sum + cpuSeconds(pid), 0);
      const { perSecond, statuses } = await flood(world.apiUrl, {
        connections: CLIENTS,
        seconds: SECONDS,
        next: bookingCall,
      });
      assertOnly(statuses, '201');
      rates.push(perSecond);
      const spent = processes(world).reduce((sum, pid) => sum + cpuSeconds(pid), 0) - cpu;
      cpuOfApi.push((spent / (statuses['201'] ?? 0)) * 1e6);
    };
    for (const turn of round % 2 === 0 ? [pgbench, http] : [http, pgbench]) await turn();
    ratios.push((rates.at(-1) ?? Number.NaN) / (limits.at(-1) ?? Number.NaN));
  }
  const load = machine();

  log('booking at 200 a second');
  const { latencies, statuses } = await steady(world.apiUrl, { perSecond: 200, seconds: 15, next: bookingCall });
  assertOnly(statuses, '201');

  print(
    'Booking over HTTP: token, schema, rate limit, rules, transaction',
    [
      { what: `share of the limit, ${CLIENTS} connections`, value: median(ratios), unit: '', aim: { atLeast: 0.5 } },
      { what: 'bookings over HTTP', value: median(rates), unit: '1/s' },
      { what: 'limit: pgbench, the same statement', value: median(limits), unit: '1/s' },
      { what: 'CPU a booking, API and PostgreSQL', value: median(cpuOfApi), unit: 'µs' },
      { what: 'CPU a booking in pgbench, PostgreSQL', value: median(cpuOfLimit), unit: 'µs' },
      { what: 'p50 at 200 a second', value: quantile(latencies, 0.5), unit: 'ms' },
      { what: 'p95 at 200 a second', value: quantile(latencies, 0.95), unit: 'ms', aim: { below: 15 } },
      { what: 'p99 at 200 a second', value: quantile(latencies, 0.99), unit: 'ms' },
    ],
    [
      `Median of ${ROUNDS} rounds in turns; shares ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}.`,
      ...(load === undefined
        ? []
        : [`The machine was busy with ${load.busy.toFixed(2)} cores, ${load.stolen.toFixed(2)} were taken away.`]),
    ],
  );
}

/** Many clients, the same slot, the same instant: one wins, the others are told. */
export async function benchRace(world: BenchWorld, log: (line: string) => void): Promise<void> {
  const rounds = 100;
  log(`${rounds} races of ${CLIENTS} for one slot`);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const latencies: number[] = [];
  let winners = 0;
  let losers = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Slots that the bookings above do not reach.
    const slot = world.visit(RACE_SLOTS + round);
    const calls = Array.from({ length: CLIENTS }, (_, racer) =>
      callFor(world, {
        ...slot,
        patientId: world.patientIds[(round * CLIENTS + racer) % world.patientIds.length] ?? '',
      }),
    );
    const race = await volley(agent, world.apiUrl, calls);
    latencies.push(...race.latencies);
    winners += race.statuses['201'] ?? 0;
    losers += race.statuses['409'] ?? 0;
  }
  agent.destroy();
  print(`${CLIENTS} clients race for one slot, ${rounds} times`, [
    { what: 'winners a race', value: winners / rounds, unit: '' },
    { what: 'refused with 409 a race', value: losers / rounds, unit: '' },
    { what: 'any other answer', value: rounds * CLIENTS - winners - losers, unit: '', aim: { below: 1 } },
    { what: 'p50', value: quantile(latencies, 0.5), unit: 'ms' },
    { what: 'p99', value: quantile(latencies, 0.99), unit: 'ms', aim: { below: 100 } },
    { what: 'slowest', value: Math.max(...latencies), unit: 'ms' },
  ]);
}

const RACE_SLOTS = 320_000;

function processes(world: BenchWorld): number[] {
  return [world.postgresPid, world.api.pid];
}

function call(world: BenchWorld, n: number): Call {
  return callFor(world, world.visit(n));
}

function callFor(world: BenchWorld, visit: ReturnType<BenchWorld['visit']>): Call {
  return {
    method: 'POST',
    path: '/api/v1/appointments',
    headers: { authorization: world.tokenOf(visit.patientId), 'content-type': 'application/json' },
    body: JSON.stringify({ ...visit, appointmentTime: visit.appointmentTime.toISOString() }),
  };
}

function assertOnly(statuses: Readonly<Record<string, number>>, wanted: string): void {
  const others = Object.entries(statuses).filter(([status]) => status !== wanted);
  if (others.length > 0) throw new Error(`not every booking succeeded: ${JSON.stringify(statuses)}`);
}

/** What the API would send for so many visits, written down: the door itself makes the requests, over a pool that only takes notes. */
async function prepareRequests(world: BenchWorld, count: number): Promise<void> {
  const requests: string[] = [];
  const deps: SchedulingDeps = { ...createSchedulingDeps(world.app), connection: takingNotes(world.app, requests) };
  await sql`create table bench_request (n bigint primary key, request jsonb not null)`.execute(world.owner.db);
  await sql`grant select on bench_request to mediconnect_app`.execute(world.owner.db);
  for (let n = 0; n < count; n += 1) {
    const visit = world.visit(n);
    const act = { actor: { kind: 'patient', id: visit.patientId }, clinicId: world.clinicId, now: new Date() } as const;
    await bookAppointment(deps, act, { ...visit, registersPatient: true });
    if (requests.length === 5_000 || n === count - 1) {
      const first = n - requests.length + 1;
      await sql`insert into bench_request select ${first}::bigint + i - 1, r::jsonb
        from unnest(${requests}::text[]) with ordinality as t(r, i)`.execute(world.owner.db);
      requests.length = 0;
    }
  }
  await sql`analyze bench_request`.execute(world.owner.db);
}

function takingNotes(connection: Connection, requests: string[]): Connection {
  let codes = 0;
  const query = (statement: { readonly values: readonly string[] }) => {
    // The API draws another code when one is taken; pgbench cannot, so its codes are of their own kind.
    const request = JSON.parse(statement.values[0] ?? '') as Record<string, unknown>;
    requests.push(JSON.stringify({ ...request, confirmationCode: `p${(codes++).toString(36).padStart(5, '0')}` }));
    return Promise.resolve({ rows: [{ result: { outcome: 'booked' } }] });
  };
  return { ...connection, pool: { query } as unknown as pg.Pool };
}

/** @param used - how many of the prepared requests are used up */
async function runPgbench(world: BenchWorld, used: number) {
  const folder = mkdtempSync(join(tmpdir(), 'mediconnect-bench-'));
  const script = join(folder, 'book.sql');
  writeFileSync(
    script,
    [
      '\\set i :i + 1',
      `\\set n ${used} + :i * ${CLIENTS} + :client_id`,
      'select book_appointment((select request from bench_request where n = :n));',
    ].join('\n'),
  );
  try {
    const before = await countAppointments(world);
    const { stdout } = await promisify(execFile)('pgbench', [
      '--no-vacuum',
      '--protocol=prepared',
      `--client=${CLIENTS}`,
      '--jobs=2',
      `--time=${SECONDS}`,
      '--define=i=-1',
      `--file=${script}`,
      world.appUrl,
    ]);
    const booked = (await countAppointments(world)) - before;
    const transactions = Number(/number of transactions actually processed: (\d+)/.exec(stdout)?.[1]);
    // The last transaction of a client may be committed and not counted.
    if (!(booked >= transactions)) throw new Error(`pgbench booked ${booked} in ${transactions} transactions`);
    const perSecond = Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
    // Some clients were faster than others: the next round starts behind the fastest.
    return { perSecond, count: { booked, reserved: Math.ceil(booked / CLIENTS) * CLIENTS * 2 } };
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') {
      throw new Error(
        'pgbench is not installed: install it (package postgresql-contrib or postgresql-15), then run this again.',
        {
          cause: error,
        },
      );
    }
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function countAppointments(world: BenchWorld): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from appointment`.execute(world.owner.db);
  return rows[0]?.n ?? 0;
}
