import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { aClinic, aPatient, aProvider, dateIn, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, asProvider, startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;
let providerId: string;
let admin: { readonly authorization: string };

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
  clinic = await aClinic(database.owner);
  admin = await asAdmin(clinic.clinicId);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly body: Record<string, unknown>;
}
async function call(
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  url: string,
  given: { payload?: unknown; headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const response = await api.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { ...admin, ...given.headers },
    ...(given.payload === undefined ? {} : { payload: given.payload as NonNullable<InjectOptions['payload']> }),
  });
  const isJson = String(response.headers['content-type']).includes('json');
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    body: isJson ? response.json() : {},
  };
}

const inDays = (days: number) => dateIn(clinic, days);
const everyDay = (startTime: string, endTime: string) =>
  [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, startTime, endTime }));
const field = (pointer: string, rule: string, part = 'body') => ({
  code: 'validation_failed',
  errors: expect.arrayContaining([expect.objectContaining({ in: part, pointer, rule })]),
});

async function aVisit(time: string, day = 3): Promise<string> {
  const patientId = await aPatient(database.owner, clinic);
  const booked = await call('POST', '/appointments', {
    payload: { patientId, providerId, appointmentTime: slotAt(clinic, day, time).toISOString(), durationMinutes: 30 },
  });
  expect(booked.status).toBe(201);
  return String(booked.body['appointmentId']);
}

/** Who may not, for the routes about one provider: everybody is answered as the table says. */
async function accessOf(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: object) {
  const colleague = await aProvider(database.owner, clinic);
  const foreign = await aClinic(database.owner);
  const statuses: Record<string, number> = {};
  const bodies: string[] = [];
  for (const [who, headers, id] of [
    ['patient', await asPatient(await aPatient(database.owner, clinic)), providerId],
    ['colleague', await asProvider(clinic.clinicId, colleague), providerId],
    ['foreign', await asAdmin(foreign.clinicId), providerId],
    ['missing', await asAdmin(foreign.clinicId), randomUUID()],
  ] as const) {
    const answer = await call(method, `/providers/${id}/${path}`, {
      headers: { ...headers, 'x-request-id': '01980000-0000-7000-8000-000000000013' },
      ...(payload === undefined ? {} : { payload }),
    });
    statuses[who] = answer.status;
    if (answer.status === 404) bodies.push(answer.text);
  }
  expect(new Set(bodies).size).toBe(1);
  return statuses;
}
const READING = { patient: 403, colleague: 200, foreign: 404, missing: 404 };
const CHANGING = { patient: 403, colleague: 403, foreign: 404, missing: 404 };

describe('the schedule of a provider', () => {
  it('is read with its version, and replaced by whoever has read it', async () => {
    providerId = await aProvider(database.owner, clinic);
    const url = `/providers/${providerId}/schedule`;
    const read = await call('GET', url);
    expect(read.body).toEqual({
      providerId,
      timeZone: 'Europe/Berlin',
      weekly: everyDay('08:00', '18:00'),
      breaks: [],
      maxDailyAppointments: 40,
    });
    await aVisit('09:00');
    await aVisit('15:00');
    const payload = { weekly: everyDay('12:00', '20:00'), breaks: everyDay('14:30', '15:15') };
    const changed = await call('PUT', url, { payload, headers: { 'if-match': String(read.headers['etag']) } });
    expect([changed.status, changed.body]).toEqual([200, { affectedAppointments: 2 }]);
    const after = await call('GET', url);
    expect(after.headers['etag']).toBe(changed.headers['etag']);
    expect(after.body).toMatchObject(payload);
    expect((await call('PUT', url, { payload })).status).toBe(428);
    const stale = await call('PUT', url, { payload, headers: { 'if-match': String(read.headers['etag']) } });
    expect([stale.status, stale.body['code']]).toEqual([412, 'version_mismatch']);
  });

  it('is replaced by one of two at once', async () => {
    providerId = await aProvider(database.owner, clinic);
    const url = `/providers/${providerId}/schedule`;
    const headers = { 'if-match': String((await call('GET', url)).headers['etag']) };
    const answers = await Promise.all(
      ['17:00', '19:00'].map((end) =>
        call('PUT', url, { payload: { weekly: everyDay('09:00', end), breaks: [] }, headers }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it('is changed by the provider themself and read by their colleagues, and does not exist for others', async () => {
    providerId = await aProvider(database.owner, clinic);
    expect(await accessOf('GET', 'schedule')).toEqual(READING);
    expect(await accessOf('PUT', 'schedule', { weekly: [], breaks: [] })).toEqual(CHANGING);
    const own = await call('PUT', `/providers/${providerId}/schedule`, {
      payload: { weekly: everyDay('22:00', '06:00'), breaks: [{ dayOfWeek: 1, startTime: '01:00', endTime: '01:30' }] },
      headers: { ...(await asProvider(clinic.clinicId, providerId)), 'if-match': '"8"' },
    });
    expect(own.status).toBe(200);
  });

  it('is refused with the place of what is wrong in it', async () => {
    providerId = await aProvider(database.owner, clinic);
    const refusal = async (weekly: unknown, breaks: unknown = []) => {
      const answer = await call('PUT', `/providers/${providerId}/schedule`, {
        payload: { weekly, breaks },
        headers: { 'if-match': '"8"' },
      });
      expect(answer.status).toBe(400);
      return answer.body;
    };
    const monday = (startTime: string, endTime: string) => ({ dayOfWeek: 1, startTime, endTime });
    expect(await refusal([monday('25:00', '26:00')])).toMatchObject(field('/weekly/0/startTime', 'pattern'));
    expect(await refusal([monday('09:00', '24:00')])).toMatchObject(field('/weekly/0/endTime', 'pattern'));
    expect(await refusal([{ ...monday('09:00', '10:00'), dayOfWeek: 8 }])).toMatchObject(
      field('/weekly/0/dayOfWeek', 'maximum'),
    );
    expect(await refusal([monday('09:00', '12:00'), monday('11:00', '13:00')])).toMatchObject(
      field('/weekly/1', 'overlaps'),
    );
    expect(await refusal([monday('09:00', '12:00')], [monday('12:00', '13:00')])).toMatchObject(
      field('/breaks/0', 'outside_hours'),
    );
    expect(await refusal('always')).toMatchObject(field('/weekly', 'type'));
    expect(await refusal(Array.from({ length: 71 }, () => monday('09:00', '10:00')))).toMatchObject(
      field('/weekly', 'maxItems'),
    );
  });
});

describe('overrides', () => {
  it('are set, listed by date and cleared', async () => {
    providerId = await aProvider(database.owner, clinic);
    const url = `/providers/${providerId}/overrides`;
    await aVisit('09:00');
    const windows = [
      { startTime: '18:00', endTime: '20:00' },
      { startTime: '10:00', endTime: '12:00' },
    ];
    const set = await call('PUT', `${url}/${inDays(3)}`, { payload: { windows } });
    expect([set.status, set.body]).toEqual([200, { affectedAppointments: 1 }]);
    expect((await call('PUT', `${url}/${inDays(4)}`, { payload: { windows: [] } })).body).toEqual({
      affectedAppointments: 0,
    });
    expect((await call('GET', url)).body).toEqual({
      overrides: [
        { date: inDays(3), windows: [windows[1], windows[0]] },
        { date: inDays(4), windows: [] },
      ],
    });
    expect((await call('GET', `${url}?from=${inDays(4)}&to=${inDays(4)}`)).body).toEqual({
      overrides: [{ date: inDays(4), windows: [] }],
    });
    expect((await call('DELETE', `${url}/${inDays(3)}`)).body).toEqual({ affectedAppointments: 0 });
    expect((await call('DELETE', `${url}/${inDays(3)}`)).status).toBe(404);
  });

  it('are the provider’s own and the clinic’s', async () => {
    providerId = await aProvider(database.owner, clinic);
    const path = `overrides/${inDays(3)}`;
    expect(await accessOf('GET', 'overrides')).toEqual(READING);
    expect(await accessOf('PUT', path, { windows: [] })).toEqual(CHANGING);
    expect(await accessOf('DELETE', path)).toEqual(CHANGING);
  });

  it('are refused where they are wrong', async () => {
    providerId = await aProvider(database.owner, clinic);
    const url = `/providers/${providerId}/overrides`;
    const windows = [
      { startTime: '09:00', endTime: '12:00' },
      { startTime: '11:00', endTime: '13:00' },
    ];
    expect((await call('PUT', `${url}/${inDays(3)}`, { payload: { windows } })).body).toMatchObject(
      field('/windows/1', 'overlaps'),
    );
    expect((await call('PUT', `${url}/2027-02-30`, { payload: { windows: [] } })).body).toMatchObject(
      field('/date', 'format', 'path'),
    );
    expect((await call('GET', `${url}?from=2027-01-02&to=2027-01-01`)).body).toMatchObject(
      field('/to', 'minimum', 'query'),
    );
    expect((await call('GET', `${url}?from=2027-01-01&to=2029-01-01`)).body).toMatchObject(
      field('/to', 'maximum', 'query'),
    );
  });
});

describe('time off', () => {
  it('is added once under a key, listed in pages and removed', async () => {
    providerId = await aProvider(database.owner, clinic);
    const url = `/providers/${providerId}/time-off`;
    await aVisit('09:00');
    const payload = { from: slotAt(clinic, 3, '08:00').toISOString(), to: slotAt(clinic, 3, '12:00').toISOString() };
    const headers = { 'idempotency-key': randomUUID() };
    const added = await call('POST', url, { payload, headers });
    expect([added.status, added.body]).toEqual([201, { timeOffId: expect.any(String), affectedAppointments: 1 }]);
    const again = await call('POST', url, { payload, headers });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, added.body, 'true']);
    const other = await call('POST', url, { payload: { ...payload, to: slotAt(clinic, 4, '12:00') }, headers });
    expect([other.status, other.body['code']]).toEqual([422, 'idempotency_mismatch']);

    const later = { from: slotAt(clinic, 9, '08:00').toISOString(), to: slotAt(clinic, 10, '08:00').toISOString() };
    await call('POST', url, { payload: later });
    const first = await call('GET', `${url}?limit=1`);
    expect(first.body['timeOff']).toEqual([
      {
        timeOffId: added.body['timeOffId'],
        from: payload.from.replace('.000Z', 'Z'),
        to: payload.to.replace('.000Z', 'Z'),
      },
    ]);
    const second = await call('GET', `${url}?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(second.body['timeOff']).toMatchObject([{ from: later.from.replace('.000Z', 'Z') }]);
    expect(second.body['nextCursor']).toBeUndefined();
    expect((await call('GET', `${url}?from=${later.to}`)).body).toEqual({ timeOff: [] });

    const one = `${url}/${String(added.body['timeOffId'])}`;
    expect((await call('DELETE', one)).status).toBe(204);
    expect((await call('DELETE', one)).status).toBe(404);
  });

  it('is the provider’s own and the clinic’s', async () => {
    providerId = await aProvider(database.owner, clinic);
    const payload = { from: '2027-03-01T08:00:00Z', to: '2027-03-01T12:00:00Z' };
    expect(await accessOf('GET', 'time-off')).toEqual(READING);
    expect(await accessOf('POST', 'time-off', payload)).toEqual(CHANGING);
    expect(await accessOf('DELETE', `time-off/${randomUUID()}`)).toEqual(CHANGING);
    const headers = await asProvider(clinic.clinicId, providerId);
    expect((await call('POST', `/providers/${providerId}/time-off`, { payload, headers })).status).toBe(201);
  });

  it('ends after it starts', async () => {
    providerId = await aProvider(database.owner, clinic);
    const post = (from: string, to: string) =>
      call('POST', `/providers/${providerId}/time-off`, { payload: { from, to } });
    expect((await post('2027-03-01T08:00:00Z', '2027-03-01T09:00:00+01:00')).body).toMatchObject(
      field('/to', 'minimum'),
    );
    expect((await post('2027-03-01', '2027-03-02')).status).toBe(400);
  });
});

describe('a preview', () => {
  const preview = (payload: object, headers: Readonly<Record<string, string>> = {}) =>
    call('POST', '/schedule-previews', { payload, headers });

  it('says who is affected, by day and one by one, and changes nothing', async () => {
    providerId = await aProvider(database.owner, clinic);
    const ids = [await aVisit('09:00'), await aVisit('11:00'), await aVisit('09:00', 4)];
    await aVisit('15:00');
    const change = {
      kind: 'time_off',
      providerId: providerId.toUpperCase(),
      from: slotAt(clinic, 3, '08:00').toISOString(),
      to: slotAt(clinic, 4, '12:00').toISOString(),
    };
    const answer = await preview(change);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      affectedAppointments: 4,
      byDay: [
        { date: inDays(3), affectedAppointments: 3 },
        { date: inDays(4), affectedAppointments: 1 },
      ],
    });
    const listed = answer.body['appointments'] as Record<string, unknown>[];
    expect(listed.map(({ appointmentId }) => appointmentId)).toEqual(expect.arrayContaining(ids));
    expect(listed[0]).toEqual({
      appointmentId: ids[0],
      patientId: expect.any(String),
      providerId,
      appointmentTime: slotAt(clinic, 3, '09:00').toISOString().replace('.000Z', 'Z'),
      durationMinutes: 30,
      rule: 'provider_away',
    });
    expect((await call('GET', `/providers/${providerId}/time-off`)).body).toEqual({ timeOff: [] });
    const audited = await database.owner.db
      .selectFrom('audit_event')
      .select('action')
      .where(sql<boolean>`detail @> '{"what": "schedule_preview", "count": 4}'`)
      .execute();
    expect(audited).toEqual([{ action: 'read' }]);
  });

  it('takes every kind of change', async () => {
    providerId = await aProvider(database.owner, clinic);
    await aVisit('09:00', 6);
    const count = async (change: object) => (await preview(change)).body['affectedAppointments'];
    expect(await count({ kind: 'hours', providerId, weekly: everyDay('10:00', '12:00'), breaks: [] })).toBe(1);
    expect(await count({ kind: 'override', providerId, date: inDays(6), windows: [] })).toBe(1);
    expect(await count({ kind: 'zone', timeZone: 'Pacific/Auckland' })).toBeGreaterThanOrEqual(1);
    expect(await preview({ kind: 'zone', timeZone: 'Mars/Olympus' })).toMatchObject({ status: 400 });
    expect(await count({ kind: 'override', providerId, date: inDays(7), windows: [] })).toBe(0);
    expect(await count({ kind: 'override_cleared', providerId, date: inDays(6) })).toBe(0);
    expect(await count({ kind: 'closure', fromDate: inDays(6), toDate: inDays(6), name: 'Inventory' })).toBe(1);
  });

  it('is for those who may make the change', async () => {
    providerId = await aProvider(database.owner, clinic);
    const override = { kind: 'override', providerId, date: inDays(3), windows: [] };
    const closure = { kind: 'closure', fromDate: inDays(3), toDate: inDays(3), name: 'Inventory' };
    const statusFor = async (change: object, headers: Readonly<Record<string, string>>) =>
      (await preview(change, headers)).status;
    const own = await asProvider(clinic.clinicId, providerId);
    expect(await statusFor(override, own)).toBe(200);
    expect(await statusFor(closure, own)).toBe(403);
    expect(await statusFor(override, await asProvider(clinic.clinicId, randomUUID()))).toBe(403);
    expect(await statusFor(override, await asAdmin((await aClinic(database.owner)).clinicId))).toBe(404);
    expect(await statusFor(override, await asPatient(randomUUID()))).toBe(403);
  });

  it('is refused with the place of what is wrong in the kind that was meant', async () => {
    providerId = await aProvider(database.owner, clinic);
    const refusal = async (change: object) => {
      const answer = await preview(change);
      expect(answer.status).toBe(400);
      return answer.body;
    };
    expect(await refusal({})).toMatchObject(field('/kind', 'required'));
    expect(await refusal({ kind: 'holiday' })).toMatchObject(field('/kind', 'discriminator'));
    expect(await refusal({ kind: 'sabbatical', providerId })).toMatchObject({ code: 'validation_failed' });
    expect(await refusal({ kind: 'time_off', providerId, from: '2027-01-01T00:00:00Z' })).toMatchObject(
      field('/to', 'required'),
    );
    expect(await refusal({ kind: 'override', providerId, date: inDays(3), windows: [], name: 'x' })).toMatchObject(
      field('/name', 'additionalProperties'),
    );
    expect(await refusal({ kind: 'closure', fromDate: inDays(3), toDate: inDays(2), name: 'x' })).toMatchObject(
      field('/toDate', 'minimum'),
    );
    const monday = { dayOfWeek: 1, startTime: '09:00', endTime: '12:00' };
    expect(await refusal({ kind: 'hours', providerId, weekly: [monday, monday], breaks: [] })).toMatchObject(
      field('/weekly/1', 'overlaps'),
    );
  });
});
