import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { InjectOptions } from 'light-my-request';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, asProvider, startApi, type RunningApi } from './running-api.ts';

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

interface Booked {
  readonly seriesId: string;
  readonly appointments: readonly {
    readonly appointmentId: string;
    readonly confirmationCode: string;
    readonly appointmentTime: string;
    readonly status: string;
  }[];
}
interface Problem {
  readonly status: number;
  readonly code: string;
  readonly clashes?: readonly { readonly appointmentTime: string; readonly code: string }[];
}

const call = (options: InjectOptions) => api.app.inject(options);
const problemOf = (response: { json: () => unknown }) => {
  const { status, code, clashes } = response.json() as Problem;
  return { status, code, ...(clashes === undefined ? {} : { clashes }) };
};
const text = (instant: Date) => instant.toISOString().replace('.000Z', 'Z');
const weekly = (days: number, time: string, count: number) =>
  Array.from({ length: count }, (_, week) => text(slotAt(clinic, days + week * 7, time)));

/** A wish for four weekly visits, and the patient who has it. */
async function aWish(change: Record<string, unknown> = {}) {
  const providerId = await aProvider(database.owner, clinic);
  const patientId = await aPatient(database.owner, clinic);
  const body = {
    patientId,
    providerId,
    appointmentTime: slotAt(clinic, 5, '10:00').toISOString(),
    durationMinutes: 30,
    everyWeeks: 1,
    count: 4,
    ...change,
  };
  return { body, providerId, patientId, headers: await asPatient(patientId) };
}
const post = (payload: object, headers: Record<string, string>) =>
  call({ method: 'POST', url: '/api/v1/appointment-series', payload, headers });
const at = (series: Booked, index: number) => `/api/v1/appointments/${series.appointments[index]?.appointmentId}`;

describe('the life of a series over HTTP', () => {
  it('is booked whole, read, moved from a visit on, and cancelled from another', async () => {
    const { body, patientId, providerId, headers } = await aWish();
    const booked = await post(body, headers);
    expect(booked.statusCode).toBe(201);
    const series = booked.json<Booked>();
    const url = `/api/v1/appointment-series/${series.seriesId}`;
    expect(booked.headers['location']).toBe(url);
    expect(series.appointments.map(({ appointmentTime }) => appointmentTime)).toEqual(weekly(5, '10:00', 4));
    expect(new Set(series.appointments.map(({ confirmationCode }) => confirmationCode)).size).toBe(4);
    expect(series.appointments.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'SCHEDULED'));

    const moved = await call({
      method: 'PATCH',
      url: at(series, 1),
      payload: { appointmentTime: slotAt(clinic, 13, '11:00').toISOString(), scope: 'following' },
      headers: { ...headers, 'if-match': '"1"' },
    });
    expect(moved.statusCode).toBe(200);
    expect(moved.headers['etag']).toBe('"2"');
    expect(moved.json()).toMatchObject({ seriesId: series.seriesId, moves: 1 });

    const alone = await call({
      method: 'PATCH',
      url: at(series, 0),
      payload: { durationMinutes: 45, scope: 'this' },
      headers: { ...headers, 'if-match': '"1"' },
    });
    expect(alone.statusCode).toBe(200);

    const cancelled = await call({ method: 'DELETE', url: `${at(series, 2)}?scope=following`, headers });
    expect(cancelled.statusCode).toBe(204);
    expect((await call({ method: 'DELETE', url: `${at(series, 2)}?scope=following`, headers })).statusCode).toBe(204);

    const read = (await call({ url, headers })).json<{ appointments: Record<string, unknown>[] }>();
    expect(read).toMatchObject({
      seriesId: series.seriesId,
      clinicId: clinic.clinicId,
      patientId,
      providerId,
      everyWeeks: 1,
      count: 4,
    });
    const [first, second, ...rest] = [text(slotAt(clinic, 5, '10:00')), ...weekly(13, '11:00', 3)];
    expect(
      read.appointments.map(({ appointmentTime, durationMinutes, status }) => [
        appointmentTime,
        durationMinutes,
        status,
      ]),
    ).toEqual([[first, 45, 'SCHEDULED'], [second, 30, 'SCHEDULED'], ...rest.map((time) => [time, 30, 'CANCELLED'])]);
  });

  it('clashes whole: 409 with every date that stands in the way, and why', async () => {
    const one = await aWish({ appointmentTime: slotAt(clinic, 12, '10:00').toISOString(), count: 2 });
    expect((await post(one.body, one.headers)).statusCode).toBe(201);
    const two = await aWish({ providerId: one.providerId });
    expect(problemOf(await post(two.body, two.headers))).toEqual({
      status: 409,
      code: 'series_clash',
      clashes: weekly(12, '10:00', 2).map((appointmentTime) => ({ appointmentTime, code: 'slot_taken' })),
    });
    const mine = await call({ url: '/api/v1/appointments', headers: two.headers });
    expect(mine.json<{ appointments: object[] }>().appointments).toEqual([]);

    const moved = await call({
      method: 'PATCH',
      url: at(
        (await post({ ...two.body, providerId: await aProvider(database.owner, clinic) }, two.headers)).json(),
        0,
      ),
      payload: { providerId: one.providerId, scope: 'following' },
      headers: { ...two.headers, 'if-match': '"1"' },
    });
    expect(problemOf(moved)).toMatchObject({
      status: 409,
      code: 'series_clash',
      clashes: [{ code: 'slot_taken' }, {}],
    });
  });

  it('is told of a visit elsewhere only that the patient is busy', async () => {
    const { body, patientId, headers } = await aWish();
    const elsewhere = await aProvider(database.owner, otherClinic, { startTime: '00:00', endTime: '23:45' });
    const visit = { patientId, providerId: elsewhere, appointmentTime: body.appointmentTime, durationMinutes: 30 };
    expect((await call({ method: 'POST', url: '/api/v1/appointments', payload: visit, headers })).statusCode).toBe(201);
    const response = await post(body, headers);
    expect(problemOf(response)).toMatchObject({
      code: 'series_clash',
      clashes: [{ appointmentTime: text(new Date(body.appointmentTime)), code: 'patient_busy' }],
    });
    expect(response.body).not.toContain(otherClinic.clinicId);
  });

  it('needs If-Match to be moved', async () => {
    const { body, headers } = await aWish();
    const series = (await post(body, headers)).json<Booked>();
    const move = (more: Record<string, string>) =>
      call({
        method: 'PATCH',
        url: at(series, 0),
        payload: { durationMinutes: 15, scope: 'following' },
        headers: { ...headers, ...more },
      });
    expect(problemOf(await move({})).status).toBe(428);
    expect(problemOf(await move({ 'if-match': '"2"' })).status).toBe(412);
    const stale = await call({
      method: 'DELETE',
      url: `${at(series, 0)}?scope=following`,
      headers: { ...headers, 'if-match': '"7"' },
    });
    expect(stale.statusCode).toBe(412);
  });

  it('means the visit alone where there is no series', async () => {
    const { body, headers } = await aWish();
    const { patientId, providerId, appointmentTime, durationMinutes } = body;
    const visit = { patientId, providerId, appointmentTime, durationMinutes };
    const url = (await call({ method: 'POST', url: '/api/v1/appointments', payload: visit, headers })).headers[
      'location'
    ];
    const moved = await call({
      method: 'PATCH',
      url: url ?? '',
      payload: { appointmentTime: slotAt(clinic, 5, '07:00').toISOString(), scope: 'following' },
      headers: { ...headers, 'if-match': '"1"' },
    });
    expect(problemOf(moved)).toEqual({ status: 422, code: 'outside_hours' });
    expect((await call({ method: 'DELETE', url: `${url}?scope=following`, headers })).statusCode).toBe(204);
  });
});

describe('an Idempotency-Key', () => {
  it('books one series, however often it is sent', async () => {
    const { body, headers, patientId } = await aWish();
    const key = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, { ...headers, ...key })));
    const booked = answers.filter(({ statusCode }) => statusCode === 201);
    expect(booked.length).toBeGreaterThanOrEqual(1);
    for (const answer of answers) expect([201, 409]).toContain(answer.statusCode);
    const again = await post(body, { ...headers, ...key });
    expect(again.json()).toEqual(booked[0]?.json());
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(problemOf(await post({ ...body, count: 5 }, { ...headers, ...key }))).toEqual({
      status: 422,
      code: 'idempotency_mismatch',
    });
    const visits = await database.owner.db
      .selectFrom('appointment')
      .select('appointment_id')
      .where('patient_id', '=', patientId)
      .execute();
    expect(visits).toHaveLength(4);
  });
});

describe('a series of somebody else', () => {
  it('is answered byte for byte as one that does not exist', async () => {
    const { body, headers } = await aWish();
    const { seriesId } = (await post(body, headers)).json<Booked>();
    const answer = async (id: string, caller: Record<string, string>) => {
      const response = await call({
        url: `/api/v1/appointment-series/${id}`,
        headers: { ...caller, 'x-request-id': '01980000-0000-7000-8000-000000000012' },
      });
      return { status: response.statusCode, body: response.body };
    };
    for (const stranger of [
      await asPatient(await aPatient(database.owner, clinic)),
      await asAdmin(otherClinic.clinicId),
    ]) {
      const missing = await answer(randomUUID(), stranger);
      expect(missing.status).toBe(404);
      expect(await answer(seriesId, stranger)).toEqual(missing);
    }
    expect((await answer(seriesId, await asProvider(clinic.clinicId, body.providerId))).status).toBe(200);
  });

  it('cannot be booked: for another patient, at another clinic, or by a provider', async () => {
    const { body } = await aWish();
    expect(problemOf(await post(body, await asPatient(await aPatient(database.owner, clinic)))).status).toBe(404);
    expect(problemOf(await post(body, await asAdmin(otherClinic.clinicId))).status).toBe(404);
    expect(problemOf(await post(body, await asProvider(clinic.clinicId, body.providerId))).status).toBe(403);
    const unknown = { ...body, patientId: await aPatient(database.owner) };
    expect(problemOf(await post(unknown, await asAdmin(clinic.clinicId))).status).toBe(404);
  });
});

describe('staff', () => {
  it('set rules aside with a reason, which patients may not', async () => {
    const early = { appointmentTime: slotAt(clinic, 5, '07:00').toISOString() };
    const { body, headers } = await aWish(early);
    const override = { rules: ['outside_hours'], reason: 'opens early for her' };
    expect(problemOf(await post({ ...body, override }, headers)).status).toBe(403);
    const booked = await post({ ...body, override }, await asAdmin(clinic.clinicId));
    expect(booked.statusCode).toBe(201);
    const url = booked.headers['location'] ?? '';
    const seen = (await call({ url, headers })).json<{ appointments: { override: object }[] }>();
    expect(seen.appointments.map((visit) => visit.override)).toEqual(
      Array.from({ length: 4 }, () => ({ rules: ['outside_hours'] })),
    );
  });

  it('are audited when they read one', async () => {
    const { body, headers } = await aWish();
    const url = (await post(body, headers)).headers['location'] ?? '';
    await call({ url, headers: await asAdmin(clinic.clinicId) });
    await call({ url, headers });
    const events = await database.owner.db
      .selectFrom('audit_event')
      .select(['action', 'actor_id'])
      .where('entity', '=', 'appointment_series')
      .where('entity_id', '=', url.split('/').at(-1) ?? '')
      .orderBy('audit_id')
      .execute();
    expect(events).toEqual([
      { action: 'booked', actor_id: body.patientId },
      { action: 'read', actor_id: `admin-of-${clinic.clinicId}` },
    ]);
  });
});
