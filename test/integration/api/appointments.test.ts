import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import { createConnection } from '../../../src/db/connection.ts';
import { aClinic, aPatient, aProvider, dateIn, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { asAdmin, asPatient, asProvider, asSupport, startApi, type RunningApi } from './running-api.ts';
import { startTcpProxy } from './tcp-proxy.ts';

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;
let otherClinic: Clinic;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
  clinic = await aClinic(database.owner);
  otherClinic = await aClinic(database.owner, { timeZone: 'America/New_York' });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const call = (options: InjectOptions) => api.app.inject(options);
const count = async (table: 'appointment' | 'idempotency_key' | 'reservation'): Promise<number> => {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(
    database.owner.db,
  );
  return rows[0]?.n ?? 0;
};

interface World {
  readonly providerId: string;
  readonly patientId: string;
  readonly body: Record<string, unknown>;
}
async function aWorld(time = '10:00', at: Clinic = clinic): Promise<World> {
  const providerId = await aProvider(database.owner, at);
  const patientId = await aPatient(database.owner, at);
  const body = { patientId, providerId, appointmentTime: slotAt(at, 5, time).toISOString(), durationMinutes: 30 };
  return { providerId, patientId, body };
}
const book = async (world: World, headers: Record<string, string> = {}, change: object = {}) =>
  call({
    method: 'POST',
    url: '/api/v1/appointments',
    payload: { ...world.body, ...change },
    headers: { ...(await asPatient(world.patientId)), ...headers },
  });
const codeOf = (response: { json: () => unknown }) => (response.json() as { code?: string }).code;

describe('the life of an appointment over HTTP', () => {
  it('is offered, booked, read, moved, cancelled and offered again', async () => {
    const world = await aWorld();
    const patient = await asPatient(world.patientId);
    const date = String(world.body['appointmentTime']).slice(0, 10);
    const search = `/api/v1/providers/${world.providerId}/availability?date=${date}&durationMinutes=30`;
    const offered = async () => {
      const response = await call({ url: search, headers: patient });
      expect(Object.keys(response.json<object>())).toEqual(['availableSlots']);
      return response.json<{ availableSlots: { startTime: string; endTime: string }[] }>().availableSlots;
    };
    const start = new Date(String(world.body['appointmentTime'])).toISOString().replace('.000Z', 'Z');
    expect((await offered()).map(({ startTime }) => startTime)).toContain(start);

    const booked = await book(world);
    expect(booked.statusCode).toBe(201);
    const { appointmentId, confirmationCode } = booked.json<{ appointmentId: string; confirmationCode: string }>();
    expect(confirmationCode).toMatch(/^[A-Z0-9]{6}$/);
    expect((await offered()).map(({ startTime }) => startTime)).not.toContain(start);

    const url = booked.headers['location'] ?? '';
    const read = await call({ url, headers: patient });
    expect(read.headers['etag']).toBe(booked.headers['etag']);
    expect(read.json()).toMatchObject({ appointmentId, status: 'SCHEDULED', appointmentTime: start, version: 1 });

    const later = slotAt(clinic, 5, '11:00').toISOString();
    const stale = await call({
      method: 'PATCH',
      url,
      payload: { appointmentTime: later },
      headers: { ...patient, 'if-match': '"9"' },
    });
    expect({ status: stale.statusCode, code: codeOf(stale) }).toEqual({ status: 412, code: 'version_mismatch' });
    const moved = await call({
      method: 'PATCH',
      url,
      payload: { appointmentTime: later },
      headers: { ...patient, 'if-match': '"1"' },
    });
    expect(moved.statusCode).toBe(200);
    expect(moved.headers['etag']).toBe('"2"');
    expect((await offered()).map(({ startTime }) => startTime)).toContain(start);

    const mine = await call({ url: '/api/v1/appointments?status=SCHEDULED', headers: patient });
    expect(mine.json<{ appointments: { appointmentId: string }[] }>().appointments).toEqual([
      expect.objectContaining({ appointmentId }),
    ]);

    for (const ifMatch of ['"2"', '"1"', undefined]) {
      const cancelled = await call({
        method: 'DELETE',
        url,
        headers: { ...patient, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
      });
      expect({ status: cancelled.statusCode, body: cancelled.body }).toEqual({ status: 204, body: '' });
    }
    expect((await call({ url, headers: patient })).json()).toMatchObject({
      status: 'CANCELLED',
      cancelledBy: 'patient',
      cancelReason: 'patient_request',
      version: 3,
    });

    const timeline = (await call({ url: `${url}/timeline`, headers: patient })).json<{
      events: { action: string }[];
      next: { action: string | null; why: string };
    }>();
    expect(timeline.events.map(({ action }) => action)).toEqual(['booked', 'rescheduled', 'cancelled']);
    expect(timeline.next.action).toBeNull();
  });

  it('ends at the desk: checked in, completed, and each of it undone; or not: a no-show and its undo', async () => {
    const world = await aWorld();
    const url = (await book(world)).headers['location'] ?? '';
    const provider = await asProvider(clinic.clinicId, world.providerId);
    const asked = (method: 'POST' | 'DELETE', path: string, ifMatch?: string) => ({
      method,
      url: `${url}/${path}`,
      headers: { ...provider, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
    });
    const early = async (method: 'POST' | 'DELETE', path: string) => codeOf(await call(asked(method, path)));
    expect(await early('POST', 'complete')).toBe('visit_not_begun');
    expect(await early('POST', 'no-show')).toBe('visit_not_begun');
    expect(await early('POST', 'check-in')).toBe('check_in_not_open');
    expect(await early('DELETE', 'no-show')).toBe('not_marked_no_show');
    expect(await early('DELETE', 'check-in')).toBe('not_checked_in');
    expect(await early('DELETE', 'complete')).toBe('not_completed');

    const start = new Date(String(world.body['appointmentTime']));
    const desk = await startApi(database.app, { now: () => start });
    try {
      const act = (method: 'POST' | 'DELETE', path: string, ifMatch?: string) =>
        desk.app.inject(asked(method, path, ifMatch));
      for (const [method, path] of [
        ['POST', 'check-in'],
        ['DELETE', 'no-show'],
      ] as const) {
        const stale = await act(method, path, '"9"');
        expect({ status: stale.statusCode, code: codeOf(stale) }).toEqual({ status: 412, code: 'version_mismatch' });
      }
      const arrived = await act('POST', 'check-in');
      expect(arrived.statusCode).toBe(200);
      expect(arrived.json<{ checkedInAt: string | null }>().checkedInAt).not.toBeNull();
      for (const ifMatch of [undefined, '"9"', 'W/"2"']) {
        const repeated = await act('POST', 'check-in', ifMatch);
        expect([repeated.statusCode, repeated.headers['etag']]).toEqual([200, arrived.headers['etag']]);
      }
      expect((await act('POST', 'complete')).json()).toMatchObject({ status: 'COMPLETED' });
      expect(codeOf(await call({ method: 'DELETE', url, headers: await asPatient(world.patientId) }))).toBe(
        'appointment_not_scheduled',
      );
      expect((await act('DELETE', 'complete')).json()).toMatchObject({ status: 'SCHEDULED' });
      expect((await act('DELETE', 'check-in')).json()).toMatchObject({ status: 'SCHEDULED', checkedInAt: null });
      expect((await act('POST', 'no-show')).json()).toMatchObject({ status: 'NO_SHOW' });
      expect((await act('POST', 'complete')).json()).toMatchObject({ status: 'COMPLETED' });
    } finally {
      await desk.close();
    }
  });

  it('that nobody marked is on the day-end list, by date and provider, until somebody does', async () => {
    const at = await aClinic(database.owner, { timeZone: 'America/New_York' });
    const [first, second] = [await aWorld('10:00', at), await aWorld('11:00', at)];
    const ids = [];
    for (const world of [first, second]) ids.push((await book(world)).json<{ appointmentId: string }>().appointmentId);
    const over = new Date(slotAt(at, 5, '11:15'));
    const evening = new Date(slotAt(at, 6, '09:00'));
    const desk = await startApi(database.app, { now: () => (isOver ? evening : over) });
    let isOver = false;
    try {
      const list = async (query: string, headers: Record<string, string>) => {
        const response = await desk.app.inject({ url: `/api/v1/day-end-list${query}`, headers });
        return response
          .json<{ appointments: { appointmentId: string }[] }>()
          .appointments.map((each) => each.appointmentId);
      };
      const admin = await asAdmin(at.clinicId);
      expect(await list('', admin)).toEqual([ids[0]]);
      isOver = true;
      expect(await list('', admin)).toEqual(ids);
      expect(await list('?limit=1', admin)).toEqual([ids[0]]);
      expect(await list(`?date=${dateIn(at, 5)}`, admin)).toEqual(ids);
      expect(await list(`?date=${dateIn(at, 4)}`, admin)).toEqual([]);
      expect(await list(`?date=${dateIn(at, 6)}`, admin)).toEqual([]);
      expect(await list(`?providerId=${second.providerId}`, admin)).toEqual([ids[1]]);
      expect(await list('', await asProvider(at.clinicId, first.providerId))).toEqual([ids[0]]);
      expect(await list(`?providerId=${second.providerId}`, await asProvider(at.clinicId, first.providerId))).toEqual(
        [],
      );
      const mark = (id: string | undefined, path: string) =>
        desk.app.inject({ method: 'POST', url: `/api/v1/appointments/${id ?? ''}/${path}`, headers: admin });
      expect((await mark(ids[0], 'complete')).statusCode).toBe(200);
      expect(await list('', admin)).toEqual([ids[1]]);
      expect((await mark(ids[1], 'no-show')).statusCode).toBe(200);
      expect(await list('', admin)).toEqual([]);
    } finally {
      await desk.close();
    }
  });

  it('is registered by the patient’s own first booking, and never by staff', async () => {
    const world = await aWorld();
    const stranger = await aPatient(database.owner);
    const byStaff = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: { ...world.body, patientId: stranger },
      headers: await asAdmin(clinic.clinicId),
    });
    expect({ status: byStaff.statusCode, code: codeOf(byStaff) }).toEqual({ status: 404, code: 'not_found' });
    const own = await book({ ...world, patientId: stranger }, {}, { patientId: stranger });
    expect(own.statusCode).toBe(201);
    const nobody = randomUUID();
    expect(
      (
        await book(
          { ...world, patientId: nobody },
          {},
          { patientId: nobody, appointmentTime: slotAt(clinic, 5, '12:00').toISOString() },
        )
      ).statusCode,
    ).toBe(404);
  });
});

describe('what a rule or somebody else stands against', () => {
  it.each([
    ['in the past', { appointmentTime: '2020-01-01T10:00:00Z' }, 422, 'in_the_past'],
    ['too far ahead', { appointmentTime: '2100-01-01T10:00:00Z' }, 422, 'too_far_ahead'],
    ['longer than the day', { durationMinutes: 1_440 }, 422, 'outside_hours'],
    ['with an unknown provider', { providerId: randomUUID() }, 404, 'not_found'],
  ])('%s is refused and nothing is written', async (_name, change, status, code) => {
    const world = await aWorld();
    const before = [await count('appointment'), await count('reservation')];
    const response = await book(world, {}, change);
    expect({ status: response.statusCode, code: codeOf(response) }).toEqual({ status, code });
    expect([await count('appointment'), await count('reservation')]).toEqual(before);
  });

  it('is answered 409 when the patient is busy elsewhere, without a word about where', async () => {
    const world = await aWorld();
    const elsewhere = await aProvider(database.owner, otherClinic, { startTime: '00:00', endTime: '23:45' });
    expect((await book(world)).statusCode).toBe(201);
    const response = await book(world, {}, { providerId: elsewhere });
    expect({ status: response.statusCode, code: codeOf(response) }).toEqual({ status: 409, code: 'patient_busy' });
    expect(response.body).not.toContain(clinic.clinicId);
  });
});

describe('fifty racers for one slot', () => {
  it('leave exactly one booking, and 49 problem documents 409', async () => {
    const world = await aWorld();
    const racers = await Promise.all(Array.from({ length: 50 }, () => aPatient(database.owner, clinic)));
    const answers = await Promise.all(racers.map((patientId) => book({ ...world, patientId }, {}, { patientId })));
    const statuses = answers.map(({ statusCode }) => statusCode).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 49 }, () => 409)]);
    for (const answer of answers.filter(({ statusCode }) => statusCode === 409)) {
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status: 409, code: 'slot_taken' });
    }
    const live = await database.owner.db
      .selectFrom('appointment')
      .select('appointment_id')
      .where('provider_id', '=', world.providerId)
      .execute();
    expect(live).toHaveLength(1);
  });
});

describe('an Idempotency-Key', () => {
  it('gives the same answer for the same body, and 422 for another', async () => {
    const world = await aWorld();
    const headers = { 'idempotency-key': randomUUID() };
    const first = await book(world, headers);
    const again = await book(world, headers);
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.json()).toEqual(first.json());
    expect(again.headers['etag']).toBe(first.headers['etag']);
    expect(again.headers['location']).toBe(first.headers['location']);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true']);
    const other = await book(world, headers, { durationMinutes: 45 });
    expect({ status: other.statusCode, code: codeOf(other) }).toEqual({ status: 422, code: 'idempotency_mismatch' });
  });

  it('books once, however many come at once', async () => {
    const world = await aWorld();
    const headers = { 'idempotency-key': randomUUID() };
    const before = await count('appointment');
    const answers = await Promise.all(Array.from({ length: 10 }, () => book(world, headers)));
    const booked = answers.filter(({ statusCode }) => statusCode === 201);
    expect(booked.length).toBeGreaterThanOrEqual(1);
    expect(new Set(booked.map(({ body }) => body)).size).toBe(1);
    for (const answer of answers.filter(({ statusCode }) => statusCode !== 201)) {
      expect({ status: answer.statusCode, code: codeOf(answer) }).toEqual({
        status: 409,
        code: 'idempotency_in_progress',
      });
    }
    expect(await count('appointment')).toBe(before + 1);
  });

  it('belongs to its caller, and is not used up by a refusal', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [one, two] = [await aWorld(), await aWorld()];
    expect((await book(one, headers, { appointmentTime: '2020-01-01T10:00:00Z' })).statusCode).toBe(422);
    expect((await book(one, headers)).statusCode).toBe(201);
    expect((await book(two, headers)).statusCode).toBe(201);
  });
});

describe('what belongs to somebody else', () => {
  it('is answered byte for byte as what does not exist', async () => {
    const world = await aWorld();
    const { appointmentId } = (await book(world)).json<{ appointmentId: string }>();
    const stranger = await asPatient(await aPatient(database.owner, clinic));
    const otherStaff = await asAdmin(otherClinic.clinicId);
    const answer = async (options: InjectOptions, headers: object) => {
      const response = await call({
        ...options,
        headers: {
          ...(headers as Record<string, string>),
          'x-request-id': '01980000-0000-7000-8000-000000000012',
          'if-match': '"1"',
        },
      });
      return { status: response.statusCode, body: response.body, type: response.headers['content-type'] };
    };
    for (const caller of [stranger, otherStaff]) {
      for (const [method, suffix, payload] of [
        ['GET', '', undefined],
        ['GET', '/timeline', undefined],
        ['PATCH', '', { durationMinutes: 45 }],
        ['DELETE', '', undefined],
      ] as const) {
        const at = (id: string) => ({
          method,
          url: `/api/v1/appointments/${id}${suffix}`,
          ...(payload === undefined ? {} : { payload }),
        });
        const missing = await answer(at(randomUUID()), caller);
        expect(missing.status).toBe(404);
        expect(await answer(at(appointmentId), caller)).toEqual(missing);
      }
    }
    expect(
      (await answer({ method: 'POST', url: `/api/v1/appointments/${appointmentId}/check-in` }, otherStaff)).status,
    ).toBe(404);
  });

  it('is not in any list', async () => {
    const world = await aWorld();
    await book(world);
    const stranger = await asPatient(await aPatient(database.owner, clinic));
    const list = async (headers: object, query = '') => {
      const response = await call({ url: `/api/v1/appointments${query}`, headers: headers as Record<string, string> });
      return response.json<{ appointments: object[] }>().appointments;
    };
    expect(await list(stranger)).toEqual([]);
    expect(await list(stranger, `?patientId=${world.patientId}`)).toEqual([]);
    expect(await list(await asAdmin(otherClinic.clinicId), `?providerId=${world.providerId}`)).toEqual([]);
    expect(await list(await asAdmin(clinic.clinicId), `?providerId=${world.providerId}`)).toHaveLength(1);
  });

  it('cannot be searched or booked by staff of another clinic, who are told 404', async () => {
    const world = await aWorld();
    const headers = await asAdmin(otherClinic.clinicId);
    const search = `/api/v1/providers/${world.providerId}/availability?date=2030-01-10&durationMinutes=30`;
    expect((await call({ url: search, headers })).statusCode).toBe(404);
    expect((await call({ url: `/api/v1/providers/${world.providerId}`, headers })).statusCode).toBe(404);
    const foreign = await call({ method: 'POST', url: '/api/v1/appointments', payload: world.body, headers });
    expect(foreign.statusCode).toBe(404);
  });
});

describe('reading by staff', () => {
  it('is audited, and patients reading their own is not', async () => {
    const world = await aWorld();
    const url = (await book(world)).headers['location'] ?? '';
    const appointmentId = url.split('/').at(-1) ?? '';
    await call({ url, headers: await asPatient(world.patientId) });
    await call({
      url,
      headers: { ...(await asAdmin(clinic.clinicId)), 'x-request-id': '01980000-0000-7000-8000-000000000015' },
    });
    await call({ url: `${url}/timeline`, headers: await asSupport() });
    const events = await database.owner.db
      .selectFrom('audit_event')
      .select(['action', 'actor_id', 'request_id'])
      .where('entity_id', '=', appointmentId)
      .where('action', '=', 'read')
      .orderBy('audit_id')
      .execute();
    expect(events).toEqual([
      { action: 'read', actor_id: `admin-of-${clinic.clinicId}`, request_id: '01980000-0000-7000-8000-000000000015' },
      expect.objectContaining({ action: 'read', actor_id: 'support-1' }),
    ]);
  });
});

describe('pages of a list', () => {
  it('hold every appointment once, in order of their start', async () => {
    const world = await aWorld();
    const admin = await asAdmin(clinic.clinicId);
    const times = ['09:00', '09:30', '10:00', '10:30', '11:00'];
    for (const time of times) {
      const patientId = await aPatient(database.owner, clinic);
      const appointmentTime = slotAt(clinic, 6, time).toISOString();
      expect((await book({ ...world, patientId }, {}, { patientId, appointmentTime })).statusCode).toBe(201);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = `providerId=${world.providerId}&limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const page = (await call({ url: `/api/v1/appointments?${query}`, headers: admin })).json<{
        appointments: { appointmentTime: string }[];
        nextCursor?: string;
      }>();
      seen.push(...page.appointments.map(({ appointmentTime }) => new Date(appointmentTime).toISOString()));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(times.map((time) => slotAt(clinic, 6, time).toISOString()));
  });
});

describe('PostgreSQL', () => {
  it('being away is 503 with Retry-After and not ready; once back, bookings go on', async () => {
    const target = new URL(database.urls.appUrl);
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
    target.hostname = '127.0.0.1';
    target.port = String(proxy.port);
    const connection = createConnection({
      url: target.href,
      poolSize: 4,
      name: 'test-behind-proxy',
      onError: () => undefined,
    });
    const behind = await startApi(connection);
    const world = await aWorld();
    const headers = await asPatient(world.patientId);
    const request = { method: 'POST', url: '/api/v1/appointments', payload: world.body, headers } as const;
    expect((await behind.app.inject({ url: '/api/v1/appointments', headers })).statusCode).toBe(200);

    proxy.cut();
    for (let tries = 1; tries <= 3; tries += 1) {
      const response = await behind.app.inject(request);
      expect({ status: response.statusCode, code: codeOf(response) }).toEqual({
        status: 503,
        code: 'database_unavailable',
      });
      expect(response.headers['retry-after']).toBe('5');
    }
    await eventually(async () => expect((await behind.app.inject('/readyz')).statusCode).toBe(503));
    expect((await behind.app.inject('/livez')).statusCode).toBe(200);

    proxy.restore();
    await eventually(async () => expect((await behind.app.inject('/readyz')).statusCode).toBe(200));
    expect((await behind.app.inject(request)).statusCode).toBe(201);
    await behind.close();
    await connection.close();
    await proxy.close();
  });
});
