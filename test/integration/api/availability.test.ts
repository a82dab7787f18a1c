import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type pg from 'pg';
import { providerTimes } from '../../../src/api/availability/queries.ts';
import { addDays, localDate, localTime, zonedInstant } from '../../../src/domain/time-zone.ts';
import { createProviderSchedules, type ProviderSchedules } from '../../../src/scheduling/provider-schedules.ts';
import { aClinic, aPatient, aProvider, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, startApi, type RunningApi } from './running-api.ts';

const ZONE = 'Europe/Berlin';
/** A Monday about a month from now: as far as the API knows, it is 09:00 there. */
const MONDAY = mondayAfter(addDays(localDate(ZONE, Date.now()), 28));
const NOW = zonedInstant(ZONE, MONDAY, '09:00');
const [TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY] = [1, 2, 3, 4, 5, 6].map((days) =>
  addDays(MONDAY, days),
) as [string, string, string, string, string, string];

let database: TestDatabase;
let api: RunningApi;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app, { now: () => new Date(NOW) });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

interface Window {
  readonly startTime: string;
  readonly endTime: string;
}
interface Found {
  readonly availableSlots: (Window & { readonly providerId?: string })[];
  readonly explanation?: {
    readonly date: string;
    readonly open: Window[];
    readonly removed: { readonly rule: string; readonly windows: Window[] }[];
  }[];
}

async function get(url: string, headers: { authorization: string }) {
  const response = await api.app.inject({
    url: `/api/v1${url}`,
    headers: { ...headers, 'x-request-id': '01980000-0000-7000-8000-000000000017' },
  });
  return { status: response.statusCode, text: response.body, body: response.json<Found>() };
}
async function search(providerId: string, query: string): Promise<Found> {
  const answer = await get(`/providers/${providerId}/availability?${query}`, await asPatient(randomUUID()));
  expect(answer.status).toBe(200);
  return answer.body;
}
async function post<Body>(url: string, payload: object, patientId: string): Promise<Body> {
  const headers = await asPatient(patientId);
  const response = await api.app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers });
  expect({ status: response.statusCode, body: response.body }).toMatchObject({ status: 201 });
  return response.json<Body>();
}

const at = (date: string, time: string): string =>
  new Date(zonedInstant(ZONE, date, time)).toISOString().replace('.000Z', 'Z');
/** `10:00-10:30`, in the clinic's zone. */
const inWords = ({ startTime, endTime }: Window): string => {
  const clock = (instant: string) => localTime(ZONE, Date.parse(instant));
  return `${clock(startTime)}-${clock(endTime)}`;
};
const starts = (found: Found): string[] =>
  found.availableSlots.map(({ startTime }) => localTime(ZONE, Date.parse(startTime)));

function mondayAfter(date: string): string {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
  return addDays(date, 8 - weekday);
}

/** Every day of the week. */
async function aRule(
  table: 'availability' | 'provider_break',
  of: Clinic,
  providerId: string,
  times: [string, string],
) {
  await sql`insert into ${sql.table(table)} (${sql.ref(`${table}_id`)}, clinic_id, provider_id, day_of_week, start_time, end_time)
    select gen_random_uuid(), ${of.clinicId}, ${providerId}, day, ${times[0]}::time, ${times[1]}::time from generate_series(1, 7) as day`.execute(
    database.owner.db,
  );
}

async function aClosure(of: Clinic, fromDate: string, toDate = fromDate): Promise<void> {
  await database.owner.db
    .insertInto('closure')
    .values({ closure_id: randomUUID(), clinic_id: of.clinicId, from_date: fromDate, to_date: toDate, name: 'Holiday' })
    .execute();
}

async function anOverride(of: Clinic, providerId: string, date: string, times?: [string, string]): Promise<void> {
  await database.owner.db
    .insertInto('availability_override')
    .values({
      availability_override_id: randomUUID(),
      clinic_id: of.clinicId,
      provider_id: providerId,
      date,
      start_time: times?.[0] ?? null,
      end_time: times?.[1] ?? null,
    })
    .execute();
}

const visit = (providerId: string, patientId: string, date: string, time: string) => ({
  patientId,
  providerId,
  appointmentTime: at(date, time),
  durationMinutes: 30,
});

describe('the reasons for what is not offered', () => {
  it('are given for every date of a week, each rule by its name, in one call', async () => {
    const clinic = await aClinic(database.owner, {
      policy: { bookingNoticeMinutes: 120, bookingHorizonDays: 5, bufferAfterMinutes: 15 },
    });
    const providerId = await aProvider(database.owner, clinic, { maxDailyAppointments: 4 });
    const { clinicId } = clinic;
    await aRule('provider_break', clinic, providerId, ['12:00', '13:00']);
    await aClosure(clinic, TUESDAY);
    await anOverride(clinic, providerId, FRIDAY, ['10:00', '11:00']);
    await database.owner.db
      .insertInto('time_off')
      .values({
        time_off_id: randomUUID(),
        clinic_id: clinicId,
        provider_id: providerId,
        during: `[${at(WEDNESDAY, '16:00')},${at(THURSDAY, '00:00')})`,
      })
      .execute();

    const patientId = await aPatient(database.owner, clinic);
    const book = (date: string, time: string) =>
      post<{ appointmentId: string }>('/appointments', visit(providerId, patientId, date, time), patientId);
    await book(WEDNESDAY, '08:00');
    await post('/holds', { providerId, startTime: at(WEDNESDAY, '09:00'), durationMinutes: 30 }, patientId);
    const given = await book(WEDNESDAY, '10:00');
    const waiting = await aPatient(database.owner, clinic);
    await post(
      '/waitlist-entries',
      { patientId: waiting, providerId, durationMinutes: 30, earliestDate: WEDNESDAY, latestDate: WEDNESDAY },
      waiting,
    );
    await api.app.inject({
      method: 'DELETE',
      url: `/api/v1/appointments/${given.appointmentId}`,
      headers: await asPatient(patientId),
    });
    await sql`insert into reservation (clinic_id, resource_id, during, purpose)
      values (${clinicId}, ${providerId}, ${`[${at(WEDNESDAY, '13:00')},${at(WEDNESDAY, '14:00')})`}::tstzrange, 'EXTERNAL')`.execute(
      database.owner.db,
    );
    for (const time of ['08:00', '09:00', '10:00', '11:00']) await book(THURSDAY, time);

    const found = await search(providerId, `date=${MONDAY}&toDate=${SUNDAY}&durationMinutes=30&explain=true`);
    const explained = Object.fromEntries(
      (found.explanation ?? []).map(({ date, open, removed }) => [
        date,
        Object.fromEntries(
          [...removed, { rule: 'open', windows: open }].map(({ rule, windows }) => [rule, windows.map(inWords)]),
        ),
      ]),
    );
    const night = ['00:00-08:00', '18:00-00:00'];
    expect(explained).toEqual({
      [MONDAY]: {
        hours: night,
        break: ['12:00-13:00'],
        notice: ['08:00-11:00'],
        open: ['11:00-12:00', '13:00-18:00'],
      },
      [TUESDAY]: { hours: night, break: ['12:00-13:00'], closure: ['08:00-12:00', '13:00-18:00'], open: [] },
      [WEDNESDAY]: {
        hours: night,
        break: ['12:00-13:00'],
        time_off: ['16:00-18:00'],
        booked: ['08:00-08:45'],
        hold: ['09:00-09:45'],
        waitlist: ['10:00-10:45'],
        ehr: ['13:00-14:00'],
        buffer: ['08:45-09:00', '09:45-10:00'],
        open: ['10:45-12:00', '14:00-16:00'],
      },
      [THURSDAY]: {
        hours: night,
        break: ['12:00-13:00'],
        booked: ['08:00-08:45', '09:00-09:45', '10:00-10:45', '11:00-11:45'],
        buffer: ['08:45-09:00', '09:45-10:00', '10:45-11:00'],
        capacity: ['11:45-12:00', '13:00-18:00'],
        open: [],
      },
      [FRIDAY]: { hours: ['00:00-10:00', '11:00-00:00'], open: ['10:00-11:00'] },
      [SATURDAY]: { hours: night, break: ['12:00-13:00'], open: ['08:00-12:00', '13:00-18:00'] },
      [SUNDAY]: { hours: night, break: ['12:00-13:00'], horizon: ['08:00-12:00', '13:00-18:00'], open: [] },
    });
    expect(found.availableSlots).toEqual(
      (await search(providerId, `date=${MONDAY}&toDate=${SUNDAY}&durationMinutes=30`)).availableSlots,
    );
  });

  it('tell why there is nothing on Tuesday', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic, { startTime: '09:00', endTime: '09:20' });
    expect(await search(providerId, `date=${TUESDAY}&durationMinutes=30&explain=true`)).toEqual({
      availableSlots: [],
      explanation: [
        {
          date: TUESDAY,
          open: [],
          removed: [
            {
              rule: 'hours',
              windows: [
                { startTime: at(TUESDAY, '00:00'), endTime: at(TUESDAY, '09:00') },
                { startTime: at(TUESDAY, '09:20'), endTime: at(WEDNESDAY, '00:00') },
              ],
            },
            { rule: 'duration', windows: [{ startTime: at(TUESDAY, '09:00'), endTime: at(TUESDAY, '09:20') }] },
          ],
        },
      ],
    });
    await aClosure(clinic, MONDAY, WEDNESDAY);
    const rules = (await search(providerId, `date=${TUESDAY}&durationMinutes=15&explain=true`)).explanation?.[0];
    expect(rules?.removed.map(({ rule }) => rule)).toEqual(['hours', 'closure']);
  });

  it('are given for dates in the past and beyond the horizon too, where nothing is offered and that is no error', async () => {
    const providerId = await aProvider(database.owner, await aClinic(database.owner));
    for (const [date, rule] of [
      ['1900-01-01', 'notice'],
      [addDays(MONDAY, -1), 'notice'],
      ['2999-12-31', 'horizon'],
    ]) {
      const found = await search(providerId, `date=${date}&durationMinutes=1440&explain=true`);
      expect(found.availableSlots).toEqual([]);
      expect(found.explanation?.[0]?.removed.map((each) => each.rule)).toEqual(['hours', rule]);
    }
  });
});

describe('a search of one provider', () => {
  it('over several dates finds what each date alone finds', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner, clinic);
    await post('/appointments', visit(providerId, patientId, THURSDAY, '10:00'), patientId);
    await aClosure(clinic, FRIDAY);
    const toDate = addDays(MONDAY, 30);
    const whole = await search(providerId, `date=${MONDAY}&toDate=${toDate}&durationMinutes=30`);
    expect(Object.keys(whole)).toEqual(['availableSlots']);
    const single: Window[] = [];
    for (let date = MONDAY; date <= toDate; date = addDays(date, 1)) {
      single.push(...(await search(providerId, `date=${date}&durationMinutes=30`)).availableSlots);
    }
    expect(whole.availableSlots).toEqual(single);
    expect(whole.availableSlots.length).toBeGreaterThan(1_000);
  });

  it('is about at most 31 dates, the last not before the first', async () => {
    const providerId = await aProvider(database.owner, await aClinic(database.owner));
    for (const [toDate, rule] of [
      [addDays(MONDAY, 31), 'maximum'],
      [addDays(MONDAY, -1), 'minimum'],
    ]) {
      const query = `date=${MONDAY}&toDate=${toDate}&durationMinutes=30`;
      const answer = await get(`/providers/${providerId}/availability?${query}`, await asPatient(randomUUID()));
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({
        code: 'validation_failed',
        errors: [{ in: 'query', pointer: '/toDate', rule }],
      });
    }
  });

  it('knows several windows a day, and puts those over midnight on the date on which the visit starts', async () => {
    const clinic = await aClinic(database.owner, { policy: { slotStepMinutes: 30 } });
    const providerId = await aProvider(database.owner, clinic, { startTime: '08:00', endTime: '09:00' });
    await aRule('availability', clinic, providerId, ['14:00', '15:00']);
    await aRule('availability', clinic, providerId, ['23:00', '01:00']);
    const found = await search(providerId, `date=${TUESDAY}&durationMinutes=60`);
    expect(starts(found)).toEqual(['00:00', '08:00', '14:00', '23:00', '23:30']);
    expect(found.availableSlots.at(-1)).toEqual({ startTime: at(TUESDAY, '23:30'), endTime: at(WEDNESDAY, '00:30') });
  });

  it('offers the time of a hold again as soon as it has expired', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner, clinic);
    await post('/holds', { providerId, startTime: at(TUESDAY, '10:00'), durationMinutes: 30 }, patientId);
    const offered = async () => starts(await search(providerId, `date=${TUESDAY}&durationMinutes=30`));
    expect(await offered()).not.toContain('10:00');
    await sql`update reservation set expires_at = now() - interval '1 second' where resource_id = ${providerId}`.execute(
      database.owner.db,
    );
    expect(await offered()).toContain('10:00');
  });

  it('knows every change of the rules at once, also one that another process made', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic, { startTime: '09:00', endTime: '11:00' });
    const offered = async () => starts(await search(providerId, `date=${TUESDAY}&durationMinutes=60`));
    expect(await offered()).toEqual(['09:00', '09:15', '09:30', '09:45', '10:00']);
    const { db } = database.owner;
    await sql`update clinic set policy = policy || '{"slotStepMinutes": 60}' where clinic_id = ${clinic.clinicId}`.execute(
      db,
    );
    expect(await offered()).toEqual(['09:00', '10:00']);
    await sql`update availability set end_time = '12:00' where provider_id = ${providerId}`.execute(db);
    expect(await offered()).toEqual(['09:00', '10:00', '11:00']);
    await sql`update clinic set time_zone = 'Europe/London' where clinic_id = ${clinic.clinicId}`.execute(db);
    expect(await offered()).toEqual(['10:00', '11:00', '12:00']);
    await aClosure(clinic, TUESDAY);
    expect(await offered()).toEqual([]);
  });
});

describe('a search of a whole clinic', () => {
  const ofClinic = async (clinic: Clinic, query: string) => {
    const answer = await get(`/clinics/${clinic.clinicId}/availability?${query}`, await asPatient(randomUUID()));
    expect(answer.status).toBe(200);
    return answer.body.availableSlots;
  };

  it('finds the earliest of any provider, those at the same time by the provider’s id', async () => {
    const clinic = await aClinic(database.owner, { policy: { slotStepMinutes: 60 } });
    const early = await aProvider(database.owner, clinic, { startTime: '08:00', endTime: '10:00' });
    const late = await aProvider(database.owner, clinic, { startTime: '09:00', endTime: '11:00' });
    await aProvider(database.owner, await aClinic(database.owner), { startTime: '06:00', endTime: '07:00' });
    const slot = (providerId: string, date: string, time: string, end: string) => ({
      providerId,
      startTime: at(date, time),
      endTime: at(date, end),
    });
    const tuesday = [
      slot(early, TUESDAY, '08:00', '09:00'),
      slot(early, TUESDAY, '09:00', '10:00'),
      slot(late, TUESDAY, '09:00', '10:00'),
      slot(late, TUESDAY, '10:00', '11:00'),
    ];
    expect(await ofClinic(clinic, `date=${TUESDAY}&durationMinutes=60`)).toEqual(tuesday);
    const week = await ofClinic(clinic, `date=${TUESDAY}&toDate=${addDays(TUESDAY, 30)}&durationMinutes=60`);
    expect(week).toHaveLength(20);
    expect(week.slice(0, 5)).toEqual([...tuesday, slot(early, WEDNESDAY, '08:00', '09:00')]);
    expect(await ofClinic(clinic, `date=${TUESDAY}&durationMinutes=60&limit=3`)).toEqual(tuesday.slice(0, 3));
  });

  it('finds only those of the specialty that is asked for, whatever its capitals, and none where nobody has it', async () => {
    const clinic = await aClinic(database.owner);
    await aProvider(database.owner, clinic);
    const wanted = await aProvider(database.owner, clinic, { specialty: 'Cardiology' });
    for (const specialty of ['Cardiology', 'cardiology', 'CARDIOLOGY']) {
      const found = await ofClinic(clinic, `date=${TUESDAY}&durationMinutes=30&specialty=${specialty}&limit=200`);
      expect(new Set(found.map(({ providerId }) => providerId))).toEqual(new Set([wanted]));
      expect(found).toHaveLength(39);
    }
    expect(await ofClinic(clinic, `date=${TUESDAY}&durationMinutes=30&specialty=Astrology`)).toEqual([]);
  });

  it('finds the one slot that is left in a month', async () => {
    const clinic = await aClinic(database.owner, { policy: { slotStepMinutes: 60 } });
    const providerId = await aProvider(database.owner, clinic, { startTime: '09:00', endTime: '10:00' });
    const last = addDays(MONDAY, 30);
    await aClosure(clinic, MONDAY, addDays(last, -1));
    const query = `date=${MONDAY}&toDate=${last}&durationMinutes=60`;
    expect(await ofClinic(clinic, query)).toEqual([
      { providerId, startTime: at(last, '09:00'), endTime: at(last, '10:00') },
    ]);
    await aClosure(clinic, last);
    expect(await ofClinic(clinic, query)).toEqual([]);
  });

  it('is answered to staff of another clinic byte for byte as for a clinic that does not exist', async () => {
    const [clinic, other] = [await aClinic(database.owner), await aClinic(database.owner)];
    const query = `availability?date=${TUESDAY}&durationMinutes=30`;
    const admin = await asAdmin(other.clinicId);
    const foreign = await get(`/clinics/${clinic.clinicId}/${query}`, admin);
    expect(foreign.status).toBe(404);
    expect(await get(`/clinics/${randomUUID()}/${query}`, admin)).toEqual(foreign);
    expect(await get(`/clinics/${randomUUID()}/${query}`, await asPatient(randomUUID()))).toEqual(foreign);
    expect((await get(`/clinics/${other.clinicId}/${query}`, admin)).status).toBe(200);
  });
});

describe('what a search reads', () => {
  /** Counts the searching statements, and lets something happen after each. */
  function watched(afterwards: () => Promise<unknown> = () => Promise.resolve()) {
    const counted = { searches: 0 };
    const andThen = async <Result>(result: Promise<Result>): Promise<Result> => {
      const found = await result;
      await afterwards();
      return found;
    };
    const known = createProviderSchedules(database.app);
    const schedules: ProviderSchedules = {
      ...known,
      ofVersions: (...asked) => andThen(known.ofVersions(...asked)),
    };
    const pool = {
      query: (statement: pg.QueryConfig) => {
        counted.searches += 1;
        return andThen(database.app.pool.query(statement));
      },
    } as unknown as pg.Pool;
    const dates = { fromDate: MONDAY, toDate: addDays(MONDAY, 30), durationMinutes: 30 };
    return { counted, read: (clinicId: string) => providerTimes(pool, schedules, clinicId, {}, dates) };
  }
  const workLonger = (providerId: string) =>
    sql`update availability set end_time = end_time + interval '1 minute' where provider_id = ${providerId}`.execute(
      database.owner.db,
    );

  it('is one statement, for any number of providers', async () => {
    const clinic = await aClinic(database.owner);
    for (let each = 0; each < 5; each += 1) await aProvider(database.owner, clinic);
    const { counted, read } = watched();
    expect(await read(clinic.clinicId)).toHaveLength(5);
    expect(await read(clinic.clinicId)).toHaveLength(5);
    expect(counted.searches).toBe(2);
  });

  it('are rules and busy times of one moment: both are read again when the rules have changed in between', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic, { endTime: '18:00' });
    let changed = false;
    const { counted, read } = watched(async () => {
      if (!changed) await workLonger(providerId);
      changed = true;
    });
    const times = await read(clinic.clinicId);
    expect(counted.searches).toBe(2);
    expect(times?.[0]?.schedule.weekly[0]?.endTime).toBe('18:01:00');
  });

  it('is given up as unavailable when the rules never hold still', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic);
    const { read } = watched(() => workLonger(providerId));
    await expect(read(clinic.clinicId)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });
});
