import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { drawSecrets } from '../scripts/local/secrets.ts';
import { startProcess, type RunningProcess } from '../scripts/local/process.ts';
import { dropDatabase, provisionDatabase, startPostgres, startRedis } from '../scripts/stack/index.mjs';
import { createConnection, type Connection } from '../src/db/connection.ts';
import { migrate } from '../src/db/migrate.ts';
import { DEFAULT_POLICY } from '../src/domain/policy.ts';
import { addDays, localDate, zonedInstant } from '../src/domain/time-zone.ts';

/** A PostgreSQL that keeps what it has committed, a Redis, a clinic with years of visits, and the API as a process of its own. */
export interface BenchWorld {
  readonly owner: Connection;
  readonly app: Connection;
  readonly appUrl: string;
  readonly postgresPid: number;
  readonly api: RunningProcess;
  readonly apiUrl: URL;
  readonly clinicId: string;
  /** Who work around the clock: there is always another visit to book. */
  readonly providerIds: readonly string[];
  /** Who work as people do, from eight to six with a break at noon, and have twelve visits a day. */
  readonly searchedIds: readonly string[];
  readonly patientIds: readonly string[];
  /** The `Authorization` header of a patient. */
  readonly tokenOf: (patientId: string) => string;
  /** A visit of 15 minutes that meets no other one: another one for every number. */
  readonly visit: (n: number) => BenchVisit;
  readonly close: () => Promise<void>;
}

export interface BenchVisit {
  readonly patientId: string;
  readonly providerId: string;
  readonly appointmentTime: Date;
  readonly durationMinutes: number;
}

const TIME_ZONE = 'Europe/Berlin';
const PROVIDERS = 100;
const SEARCHED_PROVIDERS = 20;
const PATIENTS = 20_000;
/** Visits are spread over so many days, so that a provider's day is about as full as a clinic's. */
const DAYS = 150;
/** Visits start at a quarter past: the preloaded ones, on the whole hours, meet none of them. */
const STARTS_A_DAY = 22;

const PRELOAD_BATCH = 5_000;

/** @param preloaded - how many visits the tables hold before anything is measured: an empty index flatters */
export async function createWorld(preloaded: number, log: (line: string) => void): Promise<BenchWorld> {
  const [postgres, redis] = await Promise.all([startPostgres({ durable: true }), startRedis()]);
  const { superuserDatabaseUrl } = postgres;
  const name = `mediconnect_bench_${randomBytes(4).toString('hex')}`;
  const urls = await provisionDatabase({ superuserDatabaseUrl, name });
  const owner = createConnection({ url: urls.ownerUrl, poolSize: 2, name: 'bench-owner' });
  await migrate(urls.ownerUrl);
  const app = createConnection({ url: urls.appUrl, poolSize: 4, name: 'bench-app' });

  const clinicId = uuidV7();
  const providerIds = Array.from({ length: PROVIDERS }, () => uuidV7());
  const searchedIds = Array.from({ length: SEARCHED_PROVIDERS }, () => uuidV7());
  const patientIds = Array.from({ length: PATIENTS }, () => uuidV7());
  log(`writing ${preloaded} visits`);
  await owner.db
    .insertInto('clinic')
    .values({
      clinic_id: clinicId,
      name: 'Bench Clinic',
      slug: 'bench',
      time_zone: TIME_ZONE,
      policy: JSON.stringify(DEFAULT_POLICY),
    })
    .execute();
  await sql`insert into provider (provider_id, clinic_id, name, specialty, max_daily_appointments)
    select id, ${clinicId}, 'Dr. Bench', 'General practice', 200 from unnest(${[...providerIds, ...searchedIds]}::uuid[]) as id`.execute(
    owner.db,
  );
  await sql`insert into availability (availability_id, clinic_id, provider_id, day_of_week, start_time, end_time)
    select gen_random_uuid(), ${clinicId}, id, day, '00:00', '00:00' from unnest(${providerIds}::uuid[]) as id, generate_series(1, 7) as day`.execute(
    owner.db,
  );
  await sql`insert into availability (availability_id, clinic_id, provider_id, day_of_week, start_time, end_time)
    select gen_random_uuid(), ${clinicId}, id, day, '08:00', '18:00' from unnest(${searchedIds}::uuid[]) as id, generate_series(1, 7) as day`.execute(
    owner.db,
  );
  await sql`insert into provider_break (provider_break_id, clinic_id, provider_id, day_of_week, start_time, end_time)
    select gen_random_uuid(), ${clinicId}, id, day, '12:00', '13:00' from unnest(${searchedIds}::uuid[]) as id, generate_series(1, 7) as day`.execute(
    owner.db,
  );
  await sql`insert into patient (patient_id, given_name, family_name, birth_date, phone, locale, time_zone, preferred_channel)
    select id, 'Bench', 'Patient', '1980-05-17', '+15005550006', 'en', ${TIME_ZONE}, 'sms' from unnest(${patientIds}::uuid[]) as id`.execute(
    owner.db,
  );
  await sql`insert into registration (clinic_id, patient_id) select ${clinicId}, id from unnest(${patientIds}::uuid[]) as id`.execute(
    owner.db,
  );
  await preload(owner, { clinicId, providerIds, patientIds, count: preloaded });
  await fillDays(owner, { clinicId, searchedIds, patientIds });
  await sql`analyze`.execute(owner.db);

  const secrets = drawSecrets();
  const api = await startProcess({
    root: process.cwd(),
    name: 'api',
    file: 'src/main/api.ts',
    env: {
      ...secrets.shared,
      ...secrets.roles,
      DATABASE_URL: urls.appUrl,
      REDIS_URL: redis.redisUrl,
      API_PORT: '0',
      ADMIN_PORT: '0',
      DRAIN_MS: '0',
      PUBLIC_URL: 'http://127.0.0.1',
    },
    isReady: (line) => line['event'] === 'ready',
  });
  const tokens = new Map<string, string>();
  for (const patientId of patientIds) tokens.set(patientId, await signToken(secrets.shared, patientId));
  log('the API is ready');

  const today = localDate(TIME_ZONE, Date.now());
  return {
    owner,
    app,
    appUrl: urls.appUrl,
    postgresPid: postgres.pid,
    api,
    apiUrl: new URL(`http://127.0.0.1:${String(api.ready['port'])}`),
    clinicId,
    providerIds,
    searchedIds,
    patientIds,
    tokenOf: (patientId) => tokens.get(patientId) ?? '',
    visit: (n) => {
      const nth = Math.floor(n / PROVIDERS);
      const start = Math.floor(nth / DAYS) % STARTS_A_DAY;
      const minutes = start * 60 + 15;
      const clock = `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
      return {
        providerId: providerIds[n % PROVIDERS] ?? '',
        patientId: patientIds[n % PATIENTS] ?? '',
        appointmentTime: new Date(zonedInstant(TIME_ZONE, addDays(today, 2 + (nth % DAYS)), clock)),
        durationMinutes: 15,
      };
    },
    close: async () => {
      await api.stop();
      await Promise.all([owner.close(), app.close()]);
      await dropDatabase({ superuserDatabaseUrl, name });
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}

/** Visits of the past and of the days ahead, on whole hours, with their reservations. */
async function preload(
  owner: Connection,
  given: { clinicId: string; providerIds: readonly string[]; patientIds: readonly string[]; count: number },
): Promise<void> {
  const { clinicId, providerIds, patientIds, count } = given;
  // A statement may take ten seconds, here as anywhere.
  for (let first = 0; first < count; first += PRELOAD_BATCH) {
    const last = Math.min(first + PRELOAD_BATCH, count) - 1;
    await sql`
    with visit as (
      select n, gen_random_uuid() as id,
        (${providerIds}::uuid[])[1 + n % ${providerIds.length}] as provider_id,
        (${patientIds}::uuid[])[1 + (n * 7) % ${patientIds.length}] as patient_id,
        date_trunc('day', now()) + ((n / ${providerIds.length}) % 300 - 150) * interval '1 day'
          + ((n / ${providerIds.length}) / 300) * interval '1 hour' as at
      from generate_series(${first}::integer, ${last}::integer) as n
    ), booked as (
      insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
          booked_via, policy_version)
        select id, patient_id, provider_id, ${clinicId}, at, 15, 'SCHEDULED', lpad(upper(to_hex(n)), 6, '0'), 'api', 1 from visit
        returning appointment_id, patient_id, provider_id, appointment_time
    )
    insert into reservation (clinic_id, resource_id, during, purpose, appointment_id)
      select ${clinicId}, resource_id, tstzrange(appointment_time, appointment_time + interval '15 minutes', '[)'), 'APPOINTMENT', appointment_id
      from booked, unnest(array[provider_id, patient_id]) as resource_id
      on conflict do nothing`.execute(owner.db);
  }
}

/** Twelve visits a day for the providers who are searched: times that are busy in the EHR need no patient, and are searched like any other. */
async function fillDays(
  owner: Connection,
  given: { clinicId: string; searchedIds: readonly string[]; patientIds: readonly string[] },
): Promise<void> {
  await sql`
    insert into reservation (clinic_id, resource_id, during, purpose)
      select ${given.clinicId}, id, tstzrange(at, at + interval '20 minutes', '[)'), 'EXTERNAL'
      from unnest(${given.searchedIds}::uuid[]) as id, generate_series(0, 40) as day, generate_series(0, 11) as visit,
        lateral (select date_trunc('day', now()) + day * interval '1 day' + interval '6 hours' + visit * interval '45 minutes' as at) start`.execute(
    owner.db,
  );
}

function signToken(shared: Readonly<Record<string, string>>, patientId: string): Promise<string> {
  return new SignJWT({ scope: 'availability:read appointments:read appointments:write', patient_id: patientId })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(patientId)
    .setIssuer(shared['JWT_ISSUER'] ?? '')
    .setAudience(shared['JWT_AUDIENCE'] ?? '')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(shared['JWT_SECRET']))
    .then((token) => `Bearer ${token}`);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
