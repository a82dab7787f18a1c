import { setTimeout as delay } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { startProcess } from '../scripts/local/process.ts';
import { startSystem, type LocalSystem } from '../scripts/local/system.ts';
import {
  createTemporalNamespace,
  startPostgres,
  startRabbitmq,
  startRedis,
  startTemporal,
  type StackUrls,
} from '../scripts/stack/index.mjs';
import { createConnection, type Connection } from '../src/db/connection.ts';
import { notificationId } from '../src/domain/notification.ts';
import { DEFAULT_POLICY } from '../src/domain/policy.ts';
import { steady, type Call } from './load.ts';
import { cpuSeconds, quantile, watchMachine } from './measure.ts';
import { print, type Figure } from './report.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const SECOND = 1_000;
const BOOKING_SECONDS = 3;
/** How long it may take until every reminder's workflow sleeps, before the first one is due. */
const STARTING_MS = { first: 15 * SECOND, each: 20 };
const GIVE_UP_MS = 15 * MINUTE;

export interface BurstSize {
  readonly bookings: number;
  readonly reminders: number;
}

/** As large as the aims speak of. */
export const FULL_BURST: BurstSize = { bookings: 300, reminders: 10_000 };

/**
 * The whole system under bursts, from booking to the provider's acceptance: bookings within three seconds over the API and how soon they are confirmed;
 * reminders due within one minute and how soon they are sent; beside a bare Temporal worker with the same number of reminders in the same run.
 */
export async function benchBurst(size: BurstSize, log: (line: string) => void): Promise<void> {
  log('starting PostgreSQL, Redis, RabbitMQ and Temporal');
  const [postgres, redis, rabbitmq, temporal] = await Promise.all([
    startPostgres({ durable: true }),
    startRedis(),
    startRabbitmq(),
    startTemporal(),
  ]);
  const urls: StackUrls = { ...postgres, ...redis, ...rabbitmq, ...temporal };
  const servers = { PostgreSQL: postgres.pid, RabbitMQ: rabbitmq.pid, Temporal: temporal.pid };
  let system: LocalSystem | undefined;
  let owner: Connection | undefined;
  try {
    system = await startSystem({ root: process.cwd(), urls, name: 'bench_burst' });
    owner = createConnection({ url: system.databaseUrls.ownerUrl, poolSize: 2, name: 'bench-owner' });
    const pids = {
      ...servers,
      API: system.role('api').pid,
      worker: system.role('worker').pid,
      notifier: system.role('notifier').pid,
    };
    const clinic = await aClinic(owner, Math.max(size.bookings, 300));
    log('warming up');
    await confirmed(system, owner, clinic, { bookings: 20, from: 0 });
    await confirmations(system, owner, clinic, size, pids, log);
    await reminders(owner, clinic, size, pids, log);
    await system.stop();
    system = undefined;
    await bareReminders(urls.temporalAddress, size, servers.Temporal, log);
  } finally {
    await owner?.close();
    await system?.stop();
    await Promise.all([postgres.stop(), redis.stop(), rabbitmq.stop(), temporal.stop()]);
  }
}

type Pids = Readonly<Record<string, number>>;

async function confirmations(
  system: LocalSystem,
  owner: Connection,
  clinic: Clinic,
  { bookings }: BurstSize,
  pids: Pids,
  log: (line: string) => void,
): Promise<void> {
  log(`${bookings} bookings in ${BOOKING_SECONDS} s`);
  const spent = watchCpu(pids);
  const machine = watchMachine();
  const { lags, seconds } = await confirmed(system, owner, clinic, { bookings, from: 20 });
  print(
    `${bookings} bookings in ${BOOKING_SECONDS} seconds: from booking to the provider's acceptance of the confirmation`,
    [
      { what: 'confirmations', value: lags.length / seconds, unit: '1/s', aim: { atLeast: 40 } },
      { what: 'lag p50', value: quantile(lags, 0.5) / SECOND, unit: 's' },
      { what: 'lag p95', value: quantile(lags, 0.95) / SECOND, unit: 's', aim: { below: 6 } },
      { what: 'lag, last', value: Math.max(...lags) / SECOND, unit: 's' },
      ...cpuFigures(spent(), bookings, 'a booking with its confirmation'),
    ],
    loadNote(machine()),
  );
}

/** Books and waits until every confirmation is accepted. */
async function confirmed(
  system: LocalSystem,
  owner: Connection,
  clinic: Clinic,
  { bookings, from }: { readonly bookings: number; readonly from: number },
): Promise<{ readonly lags: number[]; readonly seconds: number }> {
  const calls: Call[] = [];
  for (let n = from; n < from + bookings; n += 1) calls.push(await bookingCall(system, clinic, n));
  const since = await databaseNow(owner);
  let next = 0;
  const { statuses } = await steady(new URL(system.apiUrl), {
    perSecond: bookings / BOOKING_SECONDS,
    seconds: BOOKING_SECONDS,
    next: () => calls[next++] as Call,
  });
  if (statuses['201'] !== bookings) throw new Error(`not every booking succeeded: ${JSON.stringify(statuses)}`);
  const accepted = await acceptedSince(owner, clinic, bookings, since, 'a.created_at', 'confirmation');
  const first = Math.min(...accepted.map((one) => one.from));
  return {
    lags: accepted.map((one) => one.at - one.from),
    seconds: (Math.max(...accepted.map((one) => one.at)) - first) / SECOND,
  };
}

async function reminders(
  owner: Connection,
  clinic: Clinic,
  { reminders: count }: BurstSize,
  pids: Pids,
  log: (line: string) => void,
): Promise<void> {
  log(`${count} visits whose workflows sleep until their reminder is due`);
  const since = await databaseNow(owner);
  const firstDueAt = since + STARTING_MS.first + count * STARTING_MS.each;
  await visitsToRemind(owner, clinic, count, firstDueAt);
  await eventually(async () => {
    const { rows } = await sql<{ count: string }>`
      select count(*) from appointment where clinic_id = ${clinic.clinicId} and next_action = 'reminder:P1D'`.execute(
      owner.db,
    );
    return Number(rows[0]?.count) >= count;
  });
  const asleepAt = await databaseNow(owner);
  if (asleepAt > firstDueAt) log('NOT ALL of them were asleep when the first reminder was due');
  await delay(Math.max(0, firstDueAt - asleepAt));

  log('the first reminder is due');
  const spent = watchCpu(pids);
  const machine = watchMachine();
  const accepted = await acceptedSince(owner, clinic, count, since, 'n.due_at', 'reminder:P1D');
  const lags = accepted.map((one) => one.at - one.from);
  const seconds = (Math.max(...accepted.map((one) => one.at)) - firstDueAt) / SECOND;
  print(
    `${count} reminders due within one minute: from due to the provider's acceptance`,
    [
      { what: 'all accepted after', value: seconds, unit: 's', aim: { below: 240 } },
      { what: 'reminders', value: count / seconds, unit: '1/s' },
      { what: 'lag p50', value: quantile(lags, 0.5) / SECOND, unit: 's' },
      { what: 'lag p95', value: quantile(lags, 0.95) / SECOND, unit: 's' },
      ...cpuFigures(spent(), count, 'a reminder'),
    ],
    loadNote(machine()),
  );
}

async function bareReminders(
  address: string,
  { reminders: count }: BurstSize,
  temporalPid: number,
  log: (line: string) => void,
): Promise<void> {
  log(`a bare worker with ${count} reminders`);
  const namespace = `bench-bare-${Date.now().toString(36)}`;
  await createTemporalNamespace({ address, name: namespace });
  let report: Bare | undefined;
  const worker = await startProcess({
    root: process.cwd(),
    name: 'bare worker',
    file: 'bench/bare/worker.ts',
    args: [address, namespace, String(count)],
    env: {},
    isReady: (line) => line['event'] === 'ready',
    onLine: (line) => {
      if (line.startsWith('{"event":"due"')) spent = watchCpu({ Temporal: temporalPid, 'bare worker': worker.pid });
      if (line.startsWith('{"event":"done"')) report = JSON.parse(line) as Bare;
    },
  });
  let spent = watchCpu({ Temporal: temporalPid, 'bare worker': worker.pid });
  await eventually(() => Promise.resolve(report !== undefined));
  const cpu = spent();
  await worker.exited;
  const { lags, firstDueAt, lastAt, startedInTime } = report as unknown as Bare;
  if (!startedInTime) log('NOT ALL of its workflows were started when the first reminder was due');
  const seconds = (lastAt - firstDueAt) / SECOND;
  print(`The same number by a bare worker: one timer, one activity that does nothing`, [
    { what: 'all done after', value: seconds, unit: 's' },
    { what: 'reminders', value: count / seconds, unit: '1/s' },
    { what: 'lag p50', value: quantile(lags, 0.5) / SECOND, unit: 's' },
    { what: 'lag p95', value: quantile(lags, 0.95) / SECOND, unit: 's' },
    ...cpuFigures(cpu, count, 'a reminder'),
  ]);
}

interface Bare {
  readonly lags: readonly number[];
  readonly firstDueAt: number;
  readonly lastAt: number;
  readonly startedInTime: boolean;
}

/** A clinic with patients of its own, and providers who work around the clock. */
interface Clinic {
  readonly clinicId: string;
  readonly providerIds: readonly string[];
  readonly patientIds: readonly string[];
}

async function aClinic(owner: Connection, patients: number): Promise<Clinic> {
  const clinicId = uuidV7();
  const providerIds = Array.from({ length: 30 }, () => uuidV7());
  const patientIds = Array.from({ length: patients + 20 }, () => uuidV7());
  await owner.db
    .insertInto('clinic')
    .values({
      clinic_id: clinicId,
      name: 'Bench Clinic',
      slug: 'bench',
      time_zone: 'UTC',
      policy: JSON.stringify(DEFAULT_POLICY),
    })
    .execute();
  await sql`insert into provider (provider_id, clinic_id, name, specialty, max_daily_appointments)
    select id, ${clinicId}, 'Dr. Bench', 'General practice', 200 from unnest(${providerIds}::uuid[]) as id`.execute(
    owner.db,
  );
  await sql`insert into availability (availability_id, clinic_id, provider_id, day_of_week, start_time, end_time)
    select gen_random_uuid(), ${clinicId}, id, day, '00:00', '00:00' from unnest(${providerIds}::uuid[]) as id, generate_series(1, 7) as day`.execute(
    owner.db,
  );
  await sql`insert into patient (patient_id, given_name, family_name, birth_date, phone, locale, time_zone, preferred_channel)
    select id, 'Bench', 'Patient', '1980-05-17', '+1500555' || lpad((1000 + n)::text, 4, '0'), 'en', 'UTC', 'sms'
    from unnest(${patientIds}::uuid[]) with ordinality as p (id, n)`.execute(owner.db);
  await sql`insert into registration (clinic_id, patient_id) select ${clinicId}, id from unnest(${patientIds}::uuid[]) as id`.execute(
    owner.db,
  );
  return { clinicId, providerIds, patientIds };
}

async function bookingCall(system: LocalSystem, clinic: Clinic, n: number): Promise<Call> {
  const patientId = clinic.patientIds[n % clinic.patientIds.length] ?? '';
  const day = new Date(Date.now() + (10 + Math.floor(n / clinic.providerIds.length)) * DAY).toISOString().slice(0, 10);
  const { env } = system;
  const token = await new SignJWT({ scope: 'appointments:write', patient_id: patientId })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(patientId)
    .setIssuer(env['JWT_ISSUER'] ?? '')
    .setAudience(env['JWT_AUDIENCE'] ?? '')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(env['JWT_SECRET']));
  return {
    method: 'POST',
    path: '/api/v1/appointments',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patientId,
      providerId: clinic.providerIds[n % clinic.providerIds.length],
      appointmentTime: `${day}T10:00:00Z`,
      durationMinutes: 15,
    }),
  };
}

/** Visits that were confirmed before: what comes next for each is the reminder of the day before, spread over one minute. */
async function visitsToRemind(owner: Connection, clinic: Clinic, count: number, firstDueAt: number): Promise<void> {
  const { clinicId, providerIds, patientIds } = clinic;
  for (let from = 0; from < count; from += 1_000) {
    const ids = Array.from({ length: Math.min(1_000, count - from) }, () => uuidV7());
    const times = ids.map((_, n) => new Date(Math.round(firstDueAt + DAY + ((from + n) * MINUTE) / count)));
    const confirmations = ids.map((appointmentId) =>
      notificationId({ appointmentId, kind: 'confirmation', version: 1, channel: 'sms' }),
    );
    await sql`
      with visit as (
        select n, id, at, notification_id, (${patientIds}::uuid[])[1 + n % ${patientIds.length}] as patient_id,
          (${providerIds}::uuid[])[1 + n % ${providerIds.length}] as provider_id
        from unnest(${ids}::uuid[], ${times}::timestamptz[], ${confirmations}::uuid[]) with ordinality as v (id, at, notification_id, n)
      ), booked as (
        insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
            booked_via, policy_version)
          select id, patient_id, provider_id, ${clinicId}, at, 15, 'SCHEDULED', lpad(upper(to_hex(${from}::integer + n)), 6, '0'), 'api', 1 from visit
          returning appointment_id
      ), told as (
        insert into notification (notification_id, clinic_id, appointment_id, patient_id, kind, channel, state, planned_for, appointment_version, due_at)
          select notification_id, ${clinicId}, id, patient_id, 'confirmation', 'sms', 'DELIVERED', at, 1, now() from visit
          where exists (select from booked)
      )
      insert into outbox (clinic_id, aggregate, aggregate_id, event, version)
        select ${clinicId}, 'appointment', appointment_id, 'booked', 1 from booked`.execute(owner.db);
  }
}

/** Waits until so many messages of a kind that are younger than `since` are accepted, and says when each was, and from when its lag counts. */
async function acceptedSince(
  owner: Connection,
  clinic: Clinic,
  count: number,
  since: number,
  from: 'a.created_at' | 'n.due_at',
  kind: string,
): Promise<{ readonly from: number; readonly at: number }[]> {
  const accepted = sql`from notification n join appointment a using (clinic_id, appointment_id)
    where n.clinic_id = ${clinic.clinicId} and n.kind = ${kind} and n.accepted_at is not null and a.created_at >= ${new Date(since)}`;
  await eventually(async () => {
    const { rows } = await sql<{ count: string }>`select count(*) ${accepted}`.execute(owner.db);
    return Number(rows[0]?.count) >= count;
  });
  const { rows } = await sql<{ from: Date; at: Date }>`
    select ${sql.raw(from)} as "from", n.accepted_at as at ${accepted}`.execute(owner.db);
  return rows.map((row) => ({ from: row.from.getTime(), at: row.at.getTime() }));
}

async function databaseNow(owner: Connection): Promise<number> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(owner.db);
  return rows[0]?.now.getTime() ?? Number.NaN;
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > GIVE_UP_MS) throw new Error('it did not come to an end');
    await delay(500);
  }
}

function watchCpu(pids: Pids): () => Record<string, number> {
  const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuSeconds(pid)] as const);
  return () => Object.fromEntries(before.map(([name, pid, seconds]) => [name, cpuSeconds(pid) - seconds]));
}

function cpuFigures(spent: Record<string, number>, count: number, of: string): Figure[] {
  return Object.entries(spent).map(([name, seconds]) => ({
    what: `CPU of ${name} for ${of}`,
    value: (seconds / count) * SECOND,
    unit: 'ms',
  }));
}

function loadNote(load: { readonly busy: number; readonly stolen: number } | undefined): string[] {
  return load === undefined
    ? []
    : [`The machine was busy with ${load.busy.toFixed(2)} cores, ${load.stolen.toFixed(2)} were taken away.`];
}
