import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { provisionDatabase, startPostgres } from '../scripts/stack/index.mjs';
import type { AppointmentFilter } from '../src/api/appointments/queries.ts';
import { createReads } from '../src/api/reads.ts';
import { createConnection, inContext, type Connection } from '../src/db/connection.ts';
import { appointmentsAhead } from '../src/db/ehr.ts';
import { migrate } from '../src/db/migrate.ts';
import { enqueueOverdue, leaseBatch } from '../src/db/outbox-leases.ts';
import { prune, PRUNED_TABLES } from '../src/db/prune.ts';
import { enqueueLive } from '../src/db/rebuild.ts';
import { DEFAULT_POLICY } from '../src/domain/policy.ts';
import { createSchedulingDeps } from '../src/scheduling/act.ts';
import { addClosure } from '../src/scheduling/schedule/closures.ts';
import { manyVisits } from '../test/support/many-visits.ts';
import { print, type Figure } from './report.ts';

const TIME_ZONE = 'Europe/Berlin';
const PROVIDERS = 40;
const PATIENTS = 4_000;
const YEARLY_HOLIDAYS = 15;
const AHEAD = 94_000;
const PAST = 560_000;
/** Of all clinics together, for rebuild. */
const LIVE = 600_000;
const REBUILD_PAGE = 5_000;

interface Clinic {
  readonly clinicId: string;
  readonly providerIds: readonly string[];
  readonly patientIds: readonly string[];
}

/**
 * What grows with the clinic's age and size, on rows that it makes: a clinic with 40 providers, its history and its visits ahead, and other clinics.
 * @param share - 1: as many rows as the specification of this benchmark says; less: that part of them
 */
export async function benchSize(share: number, log: (line: string) => void): Promise<void> {
  const postgres = await startPostgres({ durable: true });
  try {
    const urls = await provisionDatabase({
      superuserDatabaseUrl: postgres.superuserDatabaseUrl,
      name: `mediconnect_size_${randomBytes(4).toString('hex')}`,
    });
    await migrate(urls.ownerUrl);
    const onError = () => undefined;
    const connect = (url: string, name: string) =>
      createConnection({ url, poolSize: 4, name, unhurried: true, onError });
    const owner = connect(urls.ownerUrl, 'size-owner');
    const app = connect(urls.appUrl, 'size-app');
    const relay = connect(urls.relayUrl, 'size-relay');
    const superuser = connect(
      Object.assign(new URL(postgres.superuserDatabaseUrl), { pathname: urls.name }).href,
      'size-superuser',
    );
    const [ahead, past, live] = [AHEAD, PAST, LIVE].map((count) => Math.round(count * share)) as [
      number,
      number,
      number,
    ];

    log(`writing ${past} visits past, ${ahead} ahead and ${live - ahead} of other clinics`);
    const [clinic, other] = [await aClinic(owner, 'size'), await aClinic(owner, 'other')];
    const days = Math.ceil(past / PROVIDERS / 16);
    await manyVisits(superuser, { ...clinic, timeZone: TIME_ZONE, count: past, fromDay: -days - 1 });
    await manyVisits(superuser, { ...clinic, timeZone: TIME_ZONE, count: ahead, fromDay: 1 });
    await manyVisits(superuser, { ...other, timeZone: TIME_ZONE, count: live - ahead, fromDay: 1, isReserved: false });
    await sql`vacuum analyze`.execute(owner.db);

    const figures = [
      ...(await measureClinic(owner, app, clinic, log)),
      ...(await measureClosures(app, clinic, log)),
      ...(await measureRebuild(owner, relay, log)),
    ];
    print(`size: 40 providers, ${past} visits past, ${ahead} ahead, ${live} live in all clinics`, figures);
    await Promise.all([superuser.close(), owner.close(), app.close(), relay.close()]);
  } finally {
    await postgres.stop();
  }
}

async function aClinic(owner: Connection, slug: string): Promise<Clinic> {
  const ids = (count: number) => Array.from({ length: count }, () => uuidV7());
  const [clinicId, providerIds, patientIds] = [uuidV7(), ids(PROVIDERS), ids(PATIENTS)];
  const policy = JSON.stringify(DEFAULT_POLICY);
  await owner.db
    .insertInto('clinic')
    .values({ clinic_id: clinicId, name: 'Size Clinic', slug, time_zone: TIME_ZONE, policy })
    .execute();
  await sql`insert into provider (provider_id, clinic_id, name, specialty, max_daily_appointments)
    select id, ${clinicId}, 'Dr. Size', 'General practice', 40 from unnest(${providerIds}::uuid[]) as id`.execute(
    owner.db,
  );
  await sql`insert into availability (availability_id, clinic_id, provider_id, day_of_week, start_time, end_time)
    select gen_random_uuid(), ${clinicId}, id, day, '08:00', '16:00' from unnest(${providerIds}::uuid[]) as id, generate_series(1, 7) as day`.execute(
    owner.db,
  );
  await sql`insert into patient (patient_id, given_name, family_name, birth_date, phone, locale, time_zone, preferred_channel)
    select id, 'Size', 'Patient', '1980-05-17', '+15005550006', 'en', ${TIME_ZONE}, 'sms' from unnest(${patientIds}::uuid[]) as id`.execute(
    owner.db,
  );
  await sql`insert into registration (clinic_id, patient_id) select ${clinicId}, id from unnest(${patientIds}::uuid[]) as id`.execute(
    owner.db,
  );
  await sql`insert into closure (closure_id, clinic_id, from_date, to_date, name, yearly)
    select gen_random_uuid(), ${clinicId}, make_date(2020, 1, 10) + n * 23, make_date(2020, 1, 10) + n * 23, 'Holiday ' || n, true
    from generate_series(1, ${YEARLY_HOLIDAYS}::integer) as n`.execute(owner.db);
  return { clinicId, providerIds, patientIds };
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const began = performance.now();
  const result = await work();
  return { ms: performance.now() - began, result };
}

/** The middle one of nine: the first reads what is not cached yet. */
async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 9; n += 1) times.push((await timed(work)).ms);
  return times.sort((a, b) => a - b)[4] ?? NaN;
}

async function measureClinic(
  owner: Connection,
  app: Connection,
  clinic: Clinic,
  log: (line: string) => void,
): Promise<Figure[]> {
  log('the EHR’s nightly page and lists');
  const { clinicId } = clinic;
  const within = <T>(work: Parameters<typeof inContext<T>>[2]) => inContext(app.db, { clinicId }, work);
  const page = { clinicId, runId: uuidV7(), after: null, limit: 100 };
  const ehr = () => median(() => within((tx) => appointmentsAhead(tx, page)));
  const known = await ehr();
  await sql`update appointment set ehr_version = 0 where appointment_id in
    (select appointment_id from appointment where clinic_id = ${clinicId} order by appointment_time desc limit 5000)`.execute(
    owner.db,
  );
  const reads = createReads(app, createSchedulingDeps(app).schedules);
  const reader = { actor: { kind: 'staff', id: 'bench' }, requestId: 'bench' } as const;
  const list = (filter: AppointmentFilter) => median(() => reads.appointments({ clinicId }, reader, filter));
  const now = new Date();
  const [providerId = '', patientId = ''] = [clinic.providerIds[0], clinic.patientIds[0]];
  return [
    { what: 'EHR: a nightly page, nothing ahead', value: known, unit: 'ms', aim: { below: 100 } },
    { what: 'EHR: a nightly page, 5,000 ahead', value: await ehr(), unit: 'ms', aim: { below: 100 } },
    { what: 'list: first page of the clinic', value: await list({ limit: 50 }), unit: 'ms', aim: { below: 100 } },
    { what: 'list: from today on', value: await list({ limit: 50, from: now }), unit: 'ms', aim: { below: 100 } },
    {
      what: 'list: a page in the middle of its history',
      value: await list({ limit: 50, after: { at: new Date(now.getTime() - 200 * 86_400_000), id: uuidV7() } }),
      unit: 'ms',
      aim: { below: 100 },
    },
    {
      what: 'list: of a provider',
      value: await list({ limit: 50, providerId, from: now }),
      unit: 'ms',
      aim: { below: 100 },
    },
    { what: 'list: of a patient', value: await list({ limit: 50, patientId }), unit: 'ms', aim: { below: 100 } },
  ];
}

async function measureClosures(app: Connection, { clinicId }: Clinic, log: (line: string) => void): Promise<Figure[]> {
  log('closures');
  const deps = createSchedulingDeps(app);
  const act = { actor: { kind: 'staff', id: 'bench' }, clinicId, now: new Date() } as const;
  const figures: Figure[] = [];
  for (const yearly of [true, false]) {
    const work = { isDone: false };
    let worstWait = 0;
    // Whoever books waits for the clinic's lock as long as the door holds it.
    const booking = (async () => {
      while (!work.isDone) {
        // One that waits for longer than the lock's time limit is refused; it has waited all the same.
        const { ms } = await timed(() =>
          inContext(app.db, { clinicId }, (tx) => sql`select lock_clinic_shared(${clinicId})`.execute(tx)).catch(
            () => undefined,
          ),
        );
        worstWait = Math.max(worstWait, ms);
      }
    })();
    const date = `${act.now.getUTCFullYear() + 1}-03-${yearly ? '03' : '04'}`;
    const closure = { fromDate: date, toDate: date, name: 'Another', yearly };
    const { ms, result } = await timed(() => addClosure(deps, act, closure)).finally(() => {
      work.isDone = true;
      return booking;
    });
    const what = `closure: ${yearly ? 'yearly' : 'one date'}`;
    figures.push(
      { what: `${what}, the whole change`, value: ms, unit: 'ms' },
      { what: `${what}, longest wait of whoever books`, value: worstWait, unit: 'ms', aim: { below: 100 } },
      { what: `${what}, visits affected`, value: result.affectedAppointments, unit: '' },
    );
  }
  return figures;
}

async function measureRebuild(owner: Connection, relay: Connection, log: (line: string) => void): Promise<Figure[]> {
  log('rebuild, stopped half-way');
  const { rows } = await sql<{ live: number }>`
    select count(*)::integer as live from appointment where next_action_at is not null`.execute(owner.db);
  const live = rows[0]?.live ?? 0;
  let worstPage = 0;
  const run = async (until: number) => {
    let told = 0;
    let began = performance.now();
    for await (const page of enqueueLive(relay.db, REBUILD_PAGE)) {
      worstPage = Math.max(worstPage, performance.now() - began);
      began = performance.now();
      told += page.told;
      if (told >= until) break;
    }
    return told;
  };
  const first = await timed(() => run(live / 2));
  log('rebuild, repeated');
  const second = await timed(() => run(Infinity));
  await sql`vacuum analyze outbox`.execute(owner.db);
  const lease = await median(() => leaseBatch(relay.db, 50, 30));

  log('the sweep');
  const idle = await median(() => enqueueOverdue(relay.db, '1 minute', 500));
  await sql`update outbox set done_at = now() - interval '8 days'`.execute(owner.db);
  await sql`update appointment set next_action_at = now() - interval '1 hour' where appointment_id in
    (select appointment_id from appointment where next_action_at is not null limit 10000)`.execute(owner.db);
  const sweep = await median(() => enqueueOverdue(relay.db, '1 minute', 500));

  log('prune');
  await sql`vacuum analyze`.execute(owner.db);
  let [pruned, worstPrune] = [0, 0];
  const began = performance.now();
  for (let more = true; more;) {
    const { ms, result } = await timed(() => prune(relay.db, 'outbox', 500));
    worstPrune = Math.max(worstPrune, ms);
    pruned += result;
    more = result === 500;
  }
  const pruneSeconds = (performance.now() - began) / 1_000;
  let nothing = 0;
  for (const table of PRUNED_TABLES) nothing = Math.max(nothing, (await timed(() => prune(relay.db, table, 500))).ms);
  return [
    { what: 'rebuild: until it was stopped', value: first.ms / 1_000, unit: 's' },
    { what: 'rebuild: repeated, to the end', value: second.ms / 1_000, unit: 's' },
    {
      what: 'rebuild: visits told once, of those live',
      value: (first.result + second.result) / live,
      unit: '',
      aim: { atLeast: 1 },
    },
    { what: `rebuild: slowest page of ${REBUILD_PAGE}`, value: worstPage, unit: 'ms', aim: { below: 5_000 } },
    { what: 'relay: a batch with all of these waiting', value: lease, unit: 'ms', aim: { below: 100 } },
    { what: 'sweep: nothing overdue', value: idle, unit: 'ms', aim: { below: 100 } },
    { what: 'sweep: 500 of 10,000 overdue', value: sweep, unit: 'ms', aim: { below: 1_000 } },
    { what: 'prune: rows a second', value: pruned / pruneSeconds, unit: '1/s' },
    { what: 'prune: slowest page of 500', value: worstPrune, unit: 'ms', aim: { below: 500 } },
    { what: 'prune: slowest table, nothing to do', value: nothing, unit: 'ms', aim: { below: 500 } },
  ];
}
