import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { InjectOptions } from 'light-my-request';
import type { AppointmentRow } from '../../../src/db/appointments.ts';
import type { AppointmentHistory } from '../../../src/api/appointments/queries.ts';
import type { RowContext } from '../../../src/db/connection.ts';
import type { Reader } from '../../../src/api/read.ts';
import {
  anApi,
  anAppointment,
  APPOINTMENT,
  asAdmin,
  asPatient,
  asProvider,
  asSupport,
  BOOKING,
  CLINIC,
  OTHER_CLINIC,
  OTHER_PATIENT,
  OTHER_PROVIDER,
  PATIENT,
  PROVIDER,
} from './api-under-test.ts';

/** What the doors were asked, in order. */
let asked: { door: string; act: Record<string, unknown>; input: unknown }[] = [];
let reads: { rows: RowContext; reader: Reader | undefined }[] = [];
let row: AppointmentRow = anAppointment();
let replayed = false;
/** What a sick day does about the visit. */
let inHand: Partial<AppointmentHistory> = {};

const door =
  <Answer>(name: string, answer: () => Answer) =>
  (act: object, input: unknown): Promise<Answer> => {
    asked.push({ door: name, act: act as Record<string, unknown>, input });
    return Promise.resolve(answer());
  };

let api: FastifyInstance;
beforeAll(async () => {
  api = await anApi({
    doors: {
      book: door('book', () => ({
        appointmentId: APPOINTMENT,
        confirmationCode: 'ABC234',
        status: 'SCHEDULED' as const,
        version: 1,
        replayed,
      })),
      move: door('move', () => anAppointment({ version: 4 })),
      cancel: door('cancel', () => ({ version: 4, alreadyCancelled: false })),
      checkIn: door('checkIn', () => row),
      undoCheckIn: door('undoCheckIn', () => row),
      complete: door('complete', () => row),
      undoCompletion: door('undoCompletion', () => row),
      markNoShow: door('markNoShow', () => row),
      undoNoShow: door('undoNoShow', () => row),
    },
    reads: {
      clinicOfProvider: () => Promise.resolve(CLINIC),
      clinicOfAppointment: () => Promise.resolve(CLINIC),
      appointment: (rows, _id, reader) => {
        reads.push({ rows, reader });
        return Promise.resolve(row);
      },
      appointments: () => Promise.resolve([row, row, row]),
      history: () =>
        Promise.resolve({
          events: [
            {
              action: 'booked',
              actor_kind: 'staff',
              actor_id: 'admin-1',
              request_id: 'request-1',
              detail: { version: 1 },
              occurred_at: new Date('2030-01-01T00:00:00Z'),
            },
          ],
          rounds: [],
          notifications: [],
          offers: [],
          tasks: [],
          beingMoved: false,
          ...inHand,
        }),
    },
  });
});
beforeEach(() => {
  asked = [];
  reads = [];
  row = anAppointment();
  replayed = false;
  inHand = {};
});
afterAll(() => api.close());

const url = `/api/v1/appointments/${APPOINTMENT}`;
const call = (options: InjectOptions) => api.inject(options);

describe('booking', () => {
  it('answers 201 with exactly the specification’s fields, Location and ETag', async () => {
    const response = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: BOOKING,
      headers: { ...(await asPatient()), 'x-request-id': '01980000-0000-7000-8000-000000000014' },
    });
    expect(response.statusCode).toBe(201);
    expect(response.json()).toEqual({ appointmentId: APPOINTMENT, confirmationCode: 'ABC234', status: 'SCHEDULED' });
    expect(response.headers['location']).toBe(url);
    expect(response.headers['etag']).toBe('"1"');
    expect(response.headers['idempotency-replayed']).toBeUndefined();
    expect(asked).toEqual([
      {
        door: 'book',
        act: {
          actor: { kind: 'patient', id: PATIENT },
          clinicId: CLINIC,
          requestId: '01980000-0000-7000-8000-000000000014',
          now: new Date('2030-01-07T09:00:00Z'),
        },
        input: {
          patientId: PATIENT,
          providerId: PROVIDER,
          appointmentTime: new Date('2030-01-10T10:00:00Z'),
          durationMinutes: 30,
          registersPatient: true,
        },
      },
    ]);
  });

  it('understands ids in capitals and any offset', async () => {
    const response = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: { ...BOOKING, patientId: PATIENT.toUpperCase(), appointmentTime: '2030-01-10T15:30:00+05:30' },
      headers: await asPatient(),
    });
    expect(response.statusCode).toBe(201);
    expect(asked[0]?.input).toMatchObject({ patientId: PATIENT, appointmentTime: new Date('2030-01-10T10:00:00Z') });
  });

  it('by staff registers nobody', async () => {
    await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: { ...BOOKING, patientId: OTHER_PATIENT },
      headers: await asAdmin(),
    });
    expect(asked[0]).toMatchObject({
      act: { actor: { kind: 'staff', id: 'admin-1' } },
      input: { patientId: OTHER_PATIENT, registersPatient: false },
    });
  });

  it('by staff of another clinic finds no such provider', async () => {
    const response = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: BOOKING,
      headers: await asAdmin(OTHER_CLINIC),
    });
    expect(response.statusCode).toBe(404);
    expect(asked).toEqual([]);
  });

  it('under an Idempotency-Key has one fingerprint for two spellings of a body', async () => {
    replayed = true;
    const headers = { ...(await asPatient()), 'idempotency-key': 'key-1' };
    const send = (payload: object) => call({ method: 'POST', url: '/api/v1/appointments', payload, headers });
    const response = await send(BOOKING);
    await send({ ...BOOKING, appointmentTime: '2030-01-10T11:00:00.000+01:00', patientId: PATIENT.toUpperCase() });
    await send({ ...BOOKING, durationMinutes: 45 });
    expect(response.headers['idempotency-replayed']).toBe('true');
    const [first, second, third] = asked.map(
      ({ input }) =>
        (input as { idempotency: { caller: string; route: string; key: string; fingerprint: string } }).idempotency,
    );
    expect(first).toMatchObject({ caller: PATIENT, route: 'POST /api/v1/appointments', key: 'key-1' });
    expect(second).toEqual(first);
    expect(third?.fingerprint).not.toBe(first?.fingerprint);
  });
});

describe('reading', () => {
  it('shows the appointment with its version as ETag', async () => {
    const response = await call({ url, headers: await asPatient() });
    expect(response.headers['etag']).toBe('"3"');
    expect(response.json()).toEqual({
      appointmentId: APPOINTMENT,
      seriesId: null,
      patientId: PATIENT,
      providerId: PROVIDER,
      clinicId: CLINIC,
      appointmentTime: '2030-01-10T10:00:00Z',
      durationMinutes: 30,
      status: 'SCHEDULED',
      confirmationCode: 'ABC234',
      bookedVia: 'api',
      checkedInAt: null,
      cancelledAt: null,
      cancelledBy: null,
      cancelReason: null,
      cancelledLate: null,
      moves: 0,
      override: null,
      reminderState: 'PLANNED',
      nextAction: 'reminder:P3D',
      nextActionAt: '2030-01-07T10:00:00Z',
      createdAt: '2030-01-01T00:00:00Z',
      updatedAt: '2030-01-01T00:00:00Z',
      version: 3,
    });
  });

  it('looks among a patient’s own rows, or at the staff’s clinic', async () => {
    await call({ url, headers: await asPatient() });
    await call({ url, headers: await asProvider() });
    expect(reads.map(({ rows }) => rows)).toEqual([{ patientId: PATIENT }, { clinicId: CLINIC }]);
    expect(reads[1]?.reader?.actor).toEqual({ kind: 'staff', id: PROVIDER });
  });

  it('is not for support, but the timeline is, at any clinic', async () => {
    expect((await call({ url, headers: await asSupport() })).statusCode).toBe(403);
    const timeline = await call({ url: `${url}/timeline`, headers: await asSupport() });
    expect(timeline.statusCode).toBe(200);
    expect(reads).toEqual([{ rows: { clinicId: CLINIC }, reader: undefined }]);
    await call({ url: `${url}/timeline`, headers: await asSupport(OTHER_CLINIC) });
    expect(reads.at(-1)?.rows).toEqual({ clinicId: OTHER_CLINIC });
  });

  it('in pages gives a cursor that leads on', async () => {
    const first = await call({ url: '/api/v1/appointments?limit=2', headers: await asPatient() });
    const page = first.json<{ appointments: object[]; nextCursor?: string }>();
    expect(page.appointments).toHaveLength(2);
    const next = `/api/v1/appointments?limit=3&cursor=${page.nextCursor ?? ''}`;
    const last = (await call({ url: next, headers: await asPatient() })).json<typeof page>();
    expect(last.appointments).toHaveLength(3);
    expect(last.nextCursor).toBeUndefined();
  });
});

describe('the timeline', () => {
  it('says what happens next and why', async () => {
    const next = async (nextAction: string | null, status: 'SCHEDULED' | 'COMPLETED' = 'SCHEDULED') => {
      row = anAppointment({ status, next_action: nextAction, next_action_at: null });
      const response = await call({ url: `${url}/timeline`, headers: await asAdmin() });
      return response.json<{ next: { why: string } }>().next.why;
    };
    expect(await next('reminder:P3D')).toContain('P3D before the visit');
    expect(await next('confirmation')).toContain('confirmation');
    expect(await next('complete')).toContain('completed');
    expect(await next('plan')).toContain('worked out');
    expect(await next('day_end_list')).toContain('day-end list');
    expect(await next(null, 'COMPLETED')).toContain('nothing is left to do');
    expect(await next(null)).toContain('somebody completes it or marks a no-show');
  });

  it('uses no word of ours: a plan that is still to be made is nothing that is to come', async () => {
    row = anAppointment({ next_action: 'plan', next_action_at: new Date('2030-01-01T00:00:00Z') });
    const { next } = (await call({ url: `${url}/timeline`, headers: await asAdmin() })).json<{ next: object }>();
    expect(next).toMatchObject({ action: null, at: null });
    expect((await call({ url, headers: await asAdmin() })).json()).toMatchObject({
      nextAction: null,
      nextActionAt: null,
    });
  });

  it('promises no reminder of a visit that cannot take place, but says what is done about it', async () => {
    row = anAppointment({ next_action: 'reminder:P1D', next_action_at: new Date('2030-01-09T09:00:00Z') });
    const next = async (given: Partial<AppointmentHistory>) => {
      inHand = { beingMoved: true, ...given };
      const response = await call({ url: `${url}/timeline`, headers: await asAdmin() });
      return response.json<{ next: { action: string | null; at: string | null } }>().next;
    };
    const at = (time: string) => new Date(`2030-01-08T${time}:00Z`);
    const offer = {
      offer_id: APPOINTMENT,
      provider_id: PROVIDER,
      slot_start: at('15:00'),
      state: 'OPEN',
      created_at: at('08:00'),
      expires_at: at('12:00'),
    } as const;
    const desksCall = { task_id: APPOINTMENT, kind: 'call', state: 'OPEN', created_at: at('08:00') } as const;
    expect(await next({})).toMatchObject({ action: null, at: null });
    expect(await next({ offers: [offer] })).toMatchObject({ action: 'answer_offer', at: '2030-01-08T12:00:00Z' });
    expect(await next({ tasks: [desksCall] })).toMatchObject({ action: 'call', at: null });
    const over = {
      offers: [{ ...offer, state: 'DECLINED' as const }],
      tasks: [{ ...desksCall, state: 'RESOLVED' as const }],
    };
    expect(await next({ ...over, beingMoved: false })).toMatchObject({ action: 'reminder:P1D' });
  });

  it('names the member of staff to staff alone', async () => {
    const actor = async (headers: object) => {
      const response = await call({ url: `${url}/timeline`, headers: headers as Record<string, string> });
      return response.json<{ events: { actor: object }[] }>().events[0]?.actor;
    };
    expect(await actor(await asAdmin())).toEqual({ kind: 'staff', id: 'admin-1' });
    expect(await actor(await asPatient())).toEqual({ kind: 'staff' });
  });
});

describe('moving', () => {
  const move = async (headers: Record<string, string>, payload: object = { appointmentTime: '2030-01-11T10:00:00Z' }) =>
    call({ method: 'PATCH', url, payload, headers: { ...(await asPatient()), ...headers } });

  it('hands the version that was read to the door and answers with the new one', async () => {
    const response = await move({ 'if-match': '"3"' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['etag']).toBe('"4"');
    expect(asked[0]?.input).toEqual({
      appointmentId: APPOINTMENT,
      expectedVersion: 3,
      appointmentTime: new Date('2030-01-11T10:00:00Z'),
    });
  });

  it('needs If-Match', async () => {
    expect((await move({})).statusCode).toBe(428);
    expect((await move({ 'if-match': '*' })).statusCode).toBe(428);
    expect((await move({ 'if-match': 'W/"3"' })).statusCode).toBe(412);
    expect(asked).toEqual([]);
  });

  it('changes something', async () => {
    expect((await move({ 'if-match': '"3"' }, {})).statusCode).toBe(400);
    expect((await move({ 'if-match': '"3"' }, { status: 'COMPLETED' })).statusCode).toBe(400);
  });
});

describe('cancelling', () => {
  it('has no body, and says by default who wanted it', async () => {
    const response = await call({ method: 'DELETE', url, headers: await asPatient() });
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 204, body: '' });
    await call({ method: 'DELETE', url, headers: await asAdmin() });
    await call({ method: 'DELETE', url: `${url}?reason=duplicate`, headers: await asAdmin() });
    expect(asked.map(({ input }) => input)).toEqual([
      { appointmentId: APPOINTMENT, reason: 'patient_request' },
      { appointmentId: APPOINTMENT, reason: 'other' },
      { appointmentId: APPOINTMENT, reason: 'duplicate' },
    ]);
  });

  it('honours If-Match, except when it is cancelled already', async () => {
    const cancel = async (ifMatch: string) =>
      call({ method: 'DELETE', url, headers: { ...(await asPatient()), 'if-match': ifMatch } });
    await cancel('"3"');
    expect(asked[0]?.input).toMatchObject({ expectedVersion: 3 });
    await cancel('"nonsense"');
    expect(asked[1]?.input).toMatchObject({ expectedVersion: 0 });
    const unreadable = await cancel('3');
    expect(unreadable.json()).toMatchObject({
      status: 400,
      errors: [{ in: 'header', pointer: '/if-match', expected: expect.stringContaining('"3"') as unknown }],
    });
    row = anAppointment({ status: 'CANCELLED' });
    expect((await cancel('"1", "2"')).statusCode).toBe(204);
  });

  it('takes an empty body that is announced as JSON', async () => {
    const headers = { ...(await asPatient()), 'content-type': 'application/json' };
    expect((await call({ method: 'DELETE', url, headers })).statusCode).toBe(204);
  });
});

describe('attending', () => {
  it.each([
    ['POST', 'check-in', 'checkIn'],
    ['DELETE', 'check-in', 'undoCheckIn'],
    ['DELETE', 'complete', 'undoCompletion'],
    ['POST', 'complete', 'complete'],
    ['POST', 'no-show', 'markNoShow'],
    ['DELETE', 'no-show', 'undoNoShow'],
  ] as const)('%s %s goes through its door, with the version in If-Match if there is one', async (...given) => {
    const [method, path, name] = given;
    const attend = async (headers = {}) =>
      call({ method, url: `${url}/${path}`, headers: { ...(await asProvider()), ...headers } });
    const response = await attend();
    expect(response.statusCode).toBe(200);
    expect(response.headers['etag']).toBe('"3"');
    expect((await attend({ 'if-match': '"2"' })).statusCode).toBe(200);
    expect((await attend({ 'if-match': 'W/"3"' })).statusCode).toBe(200);
    expect(asked.map(({ door: which, input }) => [which, input])).toEqual([
      [name, { appointmentId: APPOINTMENT }],
      [name, { appointmentId: APPOINTMENT, expectedVersion: 2 }],
      // Whether it is already so is the door's to say: no version is 0.
      [name, { appointmentId: APPOINTMENT, expectedVersion: 0 }],
    ]);
  });

  it('is for a provider’s own visits, and for no patient', async () => {
    expect(
      (await call({ method: 'POST', url: `${url}/complete`, headers: await asProvider(OTHER_PROVIDER) })).statusCode,
    ).toBe(403);
    expect((await call({ method: 'POST', url: `${url}/complete`, headers: await asPatient() })).statusCode).toBe(403);
    expect(asked).toEqual([]);
  });
});
