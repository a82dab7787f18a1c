import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { InjectOptions } from 'light-my-request';
import { gzipSync } from 'node:zlib';
import { AppError } from '../../../src/domain/errors.ts';
import {
  anApi,
  anAppointment,
  APPOINTMENT,
  asAdmin,
  asPatient,
  BOOKING,
  CLINIC,
  MISSING,
  OTHER_PATIENT,
  PROVIDER,
} from './api-under-test.ts';

interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { in: string; pointer: string; rule: string }[];
}

describe('bad input', () => {
  let api: FastifyInstance;
  let patient: { authorization: string };
  beforeAll(async () => {
    // No door and no read is given: whatever got past validation would be a 500 and fail the test.
    api = await anApi();
    patient = await asPatient();
  });
  afterAll(() => api.close());

  const call = async (options: InjectOptions) => {
    const response = await api.inject({ ...options, headers: { ...patient, ...options.headers } });
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.headers['cache-control']).toBe('no-store');
    const problem = response.json<ProblemBody>();
    expect(problem).toMatchObject({
      type: `/problems/${problem.code}`,
      status: response.statusCode,
      instance: response.headers['x-request-id'],
    });
    return { ...problem, headers: response.headers };
  };
  const book = (payload: unknown, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
      headers,
    });

  it.each([
    '',
    '{',
    '{"patientId":}',
    "{'a':1}",
    'null x',
    '[1,]',
    '{"a":1}{"b":2}',
    '\u0000',
    'NaN',
    '{"a":01}',
    '{"__proto__":{"isAdmin":true}}',
    '{"patientId":"x","__proto__":null}',
    '{"constructor":{"prototype":{"isAdmin":true}}}',
    '['.repeat(20_000),
  ])('that is no JSON to us is 400: %#', async (text) => {
    const { status, code } = await book(text);
    expect(status).toBe(400);
    expect(code).toBe(text === '' ? 'validation_failed' : 'malformed_json');
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each([
    ['null', null, ''],
    ['a list', [BOOKING], ''],
    ['a text', 'true', ''],
    ['without a provider', { ...BOOKING, providerId: undefined }, '/providerId'],
    ['with an unknown field', { ...BOOKING, insurance: 'x' }, '/insurance'],
    ['with an unknown field of any name', { ...BOOKING, 'Jane Doe, 1980-05-17': 'x' }, '/*'],
    ['with an id that is no UUID', { ...BOOKING, patientId: 'me' }, '/patientId'],
    ['with an id in URN form', { ...BOOKING, patientId: `urn:uuid:${BOOKING.patientId}` }, '/patientId'],
    ['with an id that is a number', { ...BOOKING, patientId: 7 }, '/patientId'],
    ['with a local time', { ...BOOKING, appointmentTime: '2030-01-10T10:00:00' }, '/appointmentTime'],
    ['with a day that does not exist', { ...BOOKING, appointmentTime: '2030-02-30T10:00:00Z' }, '/appointmentTime'],
    ['with a time in milliseconds', { ...BOOKING, appointmentTime: 1_893_578_400_000 }, '/appointmentTime'],
    ['with a year that no database holds', { ...BOOKING, appointmentTime: '0000-01-01T00:00:00Z' }, '/appointmentTime'],
    ['with a duration of zero', { ...BOOKING, durationMinutes: 0 }, '/durationMinutes'],
    ['with a negative duration', { ...BOOKING, durationMinutes: -30 }, '/durationMinutes'],
    ['with a huge duration', { ...BOOKING, durationMinutes: 1e9 }, '/durationMinutes'],
    ['with half a minute', { ...BOOKING, durationMinutes: 30.5 }, '/durationMinutes'],
    ['with a duration in words', { ...BOOKING, durationMinutes: '30' }, '/durationMinutes'],
    ['with no duration', { ...BOOKING, durationMinutes: null }, '/durationMinutes'],
  ])('%s is 400 and names the field', async (_name, body, pointer) => {
    const { status, code, errors } = await book(body);
    expect({ status, code }).toEqual({ status: 400, code: 'validation_failed' });
    expect(errors?.[0]).toMatchObject({ in: 'body', pointer });
    expect(JSON.stringify(errors)).not.toContain('Jane');
  });

  it.each([
    ['every zero weeks', { everyWeeks: 0 }, '/everyWeeks'],
    ['every 53 weeks', { everyWeeks: 53 }, '/everyWeeks'],
    ['every week and a half', { everyWeeks: 1.5 }, '/everyWeeks'],
    ['with one visit', { count: 1 }, '/count'],
    ['with 27 visits', { count: 27 }, '/count'],
    ['with a count in words', { count: 'ten' }, '/count'],
    ['without a count', { count: undefined }, '/count'],
    ['with a hold', { holdId: MISSING }, '/holdId'],
  ])('a series %s is 400 and names the field', async (_name, change, pointer) => {
    const { status, code, errors } = await call({
      method: 'POST',
      url: '/api/v1/appointment-series',
      payload: { ...BOOKING, everyWeeks: 1, count: 10, ...change },
    });
    expect({ status, code }).toEqual({ status: 400, code: 'validation_failed' });
    expect(errors?.[0]).toMatchObject({ in: 'body', pointer });
  });

  it.each([
    ['PATCH', '', { scope: 'all' }, '/scope'],
    ['PATCH', '', { scope: 'following', durationMinutes: 30, holdId: MISSING }, '/holdId'],
    ['DELETE', '?scope=all', undefined, '/scope'],
  ] as const)('a scope of a %s that does not exist, or does not go with the rest, is 400: %s %j', async (...given) => {
    const [method, query, payload, pointer] = given;
    const { status, code, errors } = await call({
      method,
      url: `/api/v1/appointments/${APPOINTMENT}${query}`,
      headers: { 'if-match': '"1"' },
      ...(payload === undefined ? {} : { payload }),
    });
    expect({ status, code }).toEqual({ status: 400, code: 'validation_failed' });
    expect(errors?.[0]).toMatchObject({ pointer });
  });

  it('of another media type is 415', async () => {
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'x',
      'application/json; charset=iso-8859-1',
      'application/json;charset="utf-16"',
    ]) {
      expect(await book(BOOKING, { 'content-type': type })).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      });
    }
  });

  it('in bytes that are no UTF-8 is 400, and not read as something else', async () => {
    for (const bytes of [[0xe9], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      const body = Buffer.concat([Buffer.from('{"patientId":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect(await book(body)).toMatchObject({ status: 400, code: 'malformed_json' });
    }
    for (const type of ['application/json', 'application/json; charset=UTF-8', 'application/json;charset="utf-8"']) {
      const answer = await book({ patientId: 'Zoë 🩺' }, { 'content-type': type });
      expect(answer).toMatchObject({
        code: 'validation_failed',
        errors: expect.arrayContaining([expect.objectContaining({ pointer: '/providerId' })]) as unknown,
      });
    }
  });

  it('in an encoding is 415 and says that there is none (RFC 9110 §15.5.16)', async () => {
    const headers = { 'content-type': 'application/json' };
    for (const encoding of ['gzip', 'br', 'identity, gzip', 'x']) {
      const answer = await book(gzipSync(JSON.stringify(BOOKING)), { ...headers, 'content-encoding': encoding });
      expect(answer).toMatchObject({ status: 415, code: 'unsupported_media_type' });
      expect(answer.headers['accept-encoding']).toBe('identity');
    }
    expect((await book({}, { ...headers, 'content-encoding': 'Identity' })).status).toBe(400);
    expect((await book('', { ...headers, 'content-encoding': 'gzip' })).status).toBe(400);
  });

  it('that is too large is 413', async () => {
    const { status, code } = await book({ ...BOOKING, padding: 'x'.repeat(64 * 1_024) });
    expect({ status, code }).toEqual({ status: 413, code: 'body_too_large' });
  });

  it('at an address that does not exist is 404', async () => {
    for (const url of [
      '/',
      '/api',
      '/api/v1/nothing',
      '/api/v2/appointments',
      `/api/v1/appointments/${APPOINTMENT}/x`,
    ]) {
      expect(await call({ url })).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('at an address that cannot be read is 400', async () => {
    const refused = (rule: string) => ({
      status: 400,
      code: 'validation_failed',
      errors: [{ in: 'path', pointer: '', rule }],
    });
    expect(await call({ url: '/api/v1/appointments/%zz' })).toMatchObject(refused('format'));
    expect(await call({ url: `/api/v1/appointments/${'7'.repeat(101)}` })).toMatchObject(refused('maxLength'));
  });

  it('by another method is 405 and says which methods there are', async () => {
    const answer = await call({ method: 'PUT', url: '/api/v1/appointments', payload: '{' });
    expect(answer).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers['allow']).toBe('GET, HEAD, POST');
    const one = await call({ method: 'POST', url: `/api/v1/appointments/${APPOINTMENT}` });
    expect(one.headers['allow']).toBe('DELETE, GET, HEAD, PATCH');
    expect((await call({ method: 'DELETE', url: '/livez' })).status).toBe(405);
  });

  it.each([
    '/api/v1/appointments/me',
    `/api/v1/appointments/${APPOINTMENT}'--`,
    `/api/v1/providers/7/availability?date=2030-01-10&durationMinutes=30`,
    `/api/v1/providers/${PROVIDER}/availability`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-02-30&durationMinutes=30`,
    `/api/v1/providers/${PROVIDER}/availability?date=10.01.2030&durationMinutes=30`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=0`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=1441`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=0x1e`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=3e1`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=%2030`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=30&durationMinutes=60`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=30&explain=yes`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&toDate=2030-01-09&durationMinutes=30`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&toDate=2030-02-10&durationMinutes=30`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&toDate=tomorrow&durationMinutes=30`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=30&x=1`,
    `/api/v1/providers/${PROVIDER}/availability?date=2030-01-10&durationMinutes=30&__proto__=1`,
    '/api/v1/clinics/here/availability?date=2030-01-10&durationMinutes=30',
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10`,
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10&toDate=2030-02-10&durationMinutes=30`,
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10&durationMinutes=30&limit=0`,
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10&durationMinutes=30&limit=201`,
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10&durationMinutes=30&specialty=`,
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10&durationMinutes=30&specialty=Car%00diology`,
    `/api/v1/clinics/${CLINIC}/availability?date=2030-01-10&durationMinutes=30&explain=true`,
    '/api/v1/appointments?status=DONE',
    '/api/v1/appointments?limit=0',
    '/api/v1/appointments?limit=101',
    '/api/v1/appointments?cursor=nonsense',
    '/api/v1/appointments?from=yesterday',
    '/api/v1/waitlist-entries?cursor=%00',
  ])('in the address is 400: %s', async (url) => {
    const { status, code, errors } = await call({ url });
    expect({ status, code }).toEqual({ status: 400, code: 'validation_failed' });
    expect(errors?.length).toBeGreaterThan(0);
  });

  it('is told whole: every fault at once, with what is expected in words and values', async () => {
    const answer = await call({
      method: 'POST',
      url: '/api/v1/waitlist-entries',
      payload: { patientId: 'Jane', durationMinutes: 0, earliestDate: '2030', colour: 'red' },
    });
    expect(answer.status).toBe(400);
    expect(answer.errors).toEqual(
      expect.arrayContaining([
        { in: 'body', pointer: '/patientId', rule: 'format', expected: 'a UUID' },
        { in: 'body', pointer: '/durationMinutes', rule: 'minimum', expected: 'at least 1' },
        { in: 'body', pointer: '/earliestDate', rule: 'format', expected: 'a date from 1900 to 2999, as 2030-12-31' },
        { in: 'body', pointer: '/latestDate', rule: 'required', expected: 'a value' },
        { in: 'body', pointer: '/colour', rule: 'additionalProperties', expected: 'nothing: there is no such field' },
      ]),
    );
    expect(JSON.stringify(answer)).not.toMatch(/Jane|"red"/);
    const listed = await call({ url: '/api/v1/appointments?status=DONE' });
    expect(listed.errors).toEqual([
      {
        in: 'query',
        pointer: '/status',
        rule: 'enum',
        expected: 'one of: SCHEDULED, COMPLETED, CANCELLED, NO_SHOW',
      },
    ]);
  });

  it('in a waitlist entry is 400', async () => {
    const wish = {
      patientId: BOOKING.patientId,
      durationMinutes: 30,
      earliestDate: '2030-01-10',
      latestDate: '2030-01-20',
    };
    for (const body of [
      wish,
      { ...wish, providerId: PROVIDER, specialty: 'Cardiology' },
      { ...wish, providerId: PROVIDER, latestDate: '2030-01-09' },
      { ...wish, specialty: 'Car\u0000diology', clinicId: CLINIC },
      { ...wish, specialty: '', clinicId: CLINIC },
      { ...wish, specialty: 'Cardiology' },
      { ...wish, providerId: PROVIDER, priority: 10 },
    ]) {
      expect(await call({ method: 'POST', url: '/api/v1/waitlist-entries', payload: body })).toMatchObject({
        status: 400,
        code: 'validation_failed',
      });
    }
  });

  it('in a replay is 400', async () => {
    const admin = await asAdmin();
    for (const body of [
      {},
      { notificationIds: [], reason: 'x' },
      { notificationIds: ['x'], reason: 'x' },
      { notificationIds: [MISSING] },
      { notificationIds: [MISSING], reason: '' },
      { notificationIds: [MISSING], reason: 'a\u0000b' },
      { notificationIds: [MISSING, MISSING], reason: 'x' },
    ]) {
      expect(
        await call({ method: 'POST', url: '/api/v1/notification-replays', payload: body, headers: admin }),
      ).toMatchObject({ status: 400, code: 'validation_failed' });
    }
  });

  it('in the header of an idempotent request is 400', async () => {
    const answer = await book(BOOKING, { 'content-type': 'application/json', 'idempotency-key': 'k'.repeat(256) });
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.errors).toEqual([{ in: 'header', pointer: '/idempotency-key', rule: 'format' }]);
  });
});

describe('what a door refuses', () => {
  let api: FastifyInstance;
  let thrown: Error;
  beforeAll(async () => {
    api = await anApi({
      reads: { clinicOfProvider: () => Promise.resolve(CLINIC) },
      doors: { book: () => Promise.reject(thrown) },
    });
  });
  afterAll(() => api.close());

  const book = async (error: Error) => {
    thrown = error;
    return api.inject({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: BOOKING,
      headers: await asPatient(),
    });
  };

  it.each([
    ['in_the_past', 422],
    ['invalid_duration', 422],
    ['slot_taken', 409],
    ['patient_busy', 409],
    ['idempotency_in_progress', 409],
    ['idempotency_mismatch', 422],
    ['database_unavailable', 503],
    ['temporarily_unavailable', 503],
  ] as const)('%s is answered %d', async (code, status) => {
    const response = await book(new AppError(code, { appointmentId: APPOINTMENT }));
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code, status });
    expect(response.body).not.toContain(APPOINTMENT);
    expect(response.headers['retry-after']).toBe(
      status === 503 ? '5' : code === 'idempotency_in_progress' ? '1' : undefined,
    );
  });

  it('by accident is a 500 that says nothing about itself', async () => {
    const response = await book(new Error('null value for patient Jane Doe'));
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code: 'internal_error' });
    expect(response.body).not.toMatch(/Jane|null value|stack/);
  });
});

describe('what a caller may not see', () => {
  it('is answered byte for byte as what does not exist', async () => {
    const api = await anApi({
      reads: {
        clinicOfProvider: (id) => Promise.resolve(id === PROVIDER ? CLINIC : undefined),
        appointment: (rows, id) =>
          Promise.resolve(id === APPOINTMENT && rows.patientId === OTHER_PATIENT ? anAppointment() : undefined),
      },
    });
    const patient = await asPatient();
    const body = async (options: InjectOptions) => {
      const response = await api.inject({
        ...options,
        headers: { ...patient, 'x-request-id': '01980000-0000-7000-8000-000000000016' },
      });
      return {
        headers: { ...response.headers, date: undefined },
        status: response.statusCode,
        body: response.body,
      };
    };
    const missing = await body({ url: `/api/v1/appointments/${MISSING}` });
    expect(missing.status).toBe(404);
    expect(await body({ url: `/api/v1/appointments/${APPOINTMENT}` })).toEqual(missing);
    const bookAs = (change: object) =>
      body({ method: 'POST', url: '/api/v1/appointments', payload: { ...BOOKING, ...change } });
    const forAnother = await bookAs({ patientId: OTHER_PATIENT });
    expect(forAnother).toEqual(await bookAs({ providerId: MISSING }));
    expect(forAnother.body).toBe(missing.body);
    await api.close();
  });
});
