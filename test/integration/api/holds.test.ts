import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, asProvider, startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
  clinic = await aClinic(database.owner);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const call = (options: InjectOptions) => api.app.inject(options);
const codeOf = (response: { json: () => unknown }) => (response.json() as { code?: string }).code;
const world = async () => {
  const providerId = await aProvider(database.owner, clinic);
  const patientId = await aPatient(database.owner, clinic);
  const slot = { providerId, startTime: slotAt(clinic, 4, '10:00').toISOString(), durationMinutes: 30 };
  const booking = { patientId, providerId, appointmentTime: slot.startTime, durationMinutes: 30 };
  return { providerId, patientId, slot, booking, patient: await asPatient(patientId) };
};
const hold = (payload: object, headers: Record<string, string>) =>
  call({ method: 'POST', url: '/api/v1/holds', payload, headers });

describe('a hold over HTTP', () => {
  it('is placed, read, extended once and booked by its holder', async () => {
    const { slot, booking, patient } = await world();
    const placed = await hold(slot, patient);
    expect(placed.statusCode).toBe(201);
    const { holdId } = placed.json<{ holdId: string }>();
    expect(placed.headers['location']).toBe(`/api/v1/holds/${holdId}`);
    expect(placed.json()).toMatchObject({ state: 'LIVE', extendable: true, appointmentId: null });

    const url = `/api/v1/holds/${holdId}`;
    expect((await call({ url, headers: patient })).json()).toEqual(placed.json());
    const extended = await call({ method: 'POST', url: `${url}/extension`, headers: patient });
    expect(extended.json()).toMatchObject({ state: 'LIVE', extendable: false });
    const twice = await call({ method: 'POST', url: `${url}/extension`, headers: patient });
    expect([twice.statusCode, codeOf(twice)]).toEqual([422, 'hold_already_extended']);

    const rival = await world();
    const taken = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: { ...booking, patientId: rival.patientId },
      headers: rival.patient,
    });
    expect([taken.statusCode, codeOf(taken)]).toEqual([409, 'slot_taken']);
    const booked = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: { ...booking, holdId: holdId.toUpperCase() },
      headers: patient,
    });
    expect(booked.statusCode).toBe(201);
    const { appointmentId } = booked.json<{ appointmentId: string }>();
    expect((await call({ url, headers: patient })).json()).toMatchObject({ state: 'BOOKED', appointmentId });
  });

  it('is released when the booking is abandoned, and then anybody’s', async () => {
    const { slot, booking, patient } = await world();
    const url = (await hold(slot, patient)).headers['location'] ?? '';
    for (const status of [204, 204]) {
      expect((await call({ method: 'DELETE', url, headers: patient })).statusCode).toBe(status);
    }
    const gone = await call({ method: 'POST', url: `${url}/extension`, headers: patient });
    expect([gone.statusCode, codeOf(gone)]).toEqual([409, 'hold_gone']);
    const booked = await call({ method: 'POST', url: '/api/v1/appointments', payload: booking, headers: patient });
    expect(booked.statusCode).toBe(201);
  });

  it('does not exist for anybody but its holder and the clinic’s administrators', async () => {
    const { slot, patient, providerId } = await world();
    const url = (await hold(slot, patient)).headers['location'] ?? '';
    const elsewhere = await aClinic(database.owner);
    const strangers = [(await world()).patient, await asAdmin(elsewhere.clinicId)];
    for (const headers of strangers) {
      for (const [method, path] of [
        ['GET', url],
        ['DELETE', url],
        ['POST', `${url}/extension`],
      ] as const) {
        expect((await call({ method, url: path, headers })).statusCode).toBe(404);
      }
    }
    const provider = await asProvider(clinic.clinicId, providerId);
    expect((await call({ url, headers: provider })).statusCode).toBe(403);
    expect((await call({ url, headers: await asAdmin(clinic.clinicId) })).statusCode).toBe(200);
    expect((await call({ method: 'DELETE', url, headers: await asAdmin(clinic.clinicId) })).statusCode).toBe(204);
  });

  it('is refused with a clear answer', async () => {
    const { slot, patient } = await world();
    const answer = async (change: object) => {
      const response = await hold({ ...slot, ...change }, patient);
      return `${response.statusCode} ${codeOf(response)}`;
    };
    expect(await answer({ startTime: slotAt(clinic, 4, '07:00').toISOString() })).toBe('422 outside_hours');
    expect(await answer({ startTime: 'tomorrow' })).toBe('400 validation_failed');
    expect(await answer({ durationMinutes: 0 })).toBe('400 validation_failed');
    expect(await answer({ patientId: randomUUID() })).toBe('400 validation_failed');
    expect(await answer({ providerId: randomUUID() })).toBe('404 not_found');
  });

  it('is one hold under one key', async () => {
    const { slot, patient } = await world();
    const headers = { ...patient, 'idempotency-key': 'one hold' };
    const first = await hold(slot, headers);
    const again = await hold(slot, headers);
    expect(again.json()).toEqual(first.json());
    expect(again.headers['idempotency-replayed']).toBe('true');
    const other = await hold({ ...slot, durationMinutes: 45 }, headers);
    expect([other.statusCode, codeOf(other)]).toEqual([422, 'idempotency_mismatch']);
  });
});

describe('an override over HTTP', () => {
  const reason = 'a home visit after hours';
  const late = (body: object) => ({ ...body, appointmentTime: slotAt(clinic, 4, '19:00').toISOString() });

  it('is for administrators, audited, and shown to staff with its words and to the patient without', async () => {
    const { booking, patient } = await world();
    const payload = { ...late(booking), override: { rules: ['outside_hours'], reason } };
    const book = (headers: Record<string, string>) =>
      call({ method: 'POST', url: '/api/v1/appointments', payload, headers });
    const refused = await book(patient);
    expect([refused.statusCode, codeOf(refused)]).toEqual([403, 'forbidden']);

    const admin = await asAdmin(clinic.clinicId);
    const booked = await book(admin);
    expect(booked.statusCode).toBe(201);
    const url = booked.headers['location'] ?? '';
    const shown = async (headers: Record<string, string>) => {
      const appointment = (await call({ url, headers })).json<{ override: unknown }>();
      const timeline = (await call({ url: `${url}/timeline`, headers })).json<{
        events: { detail: { override?: unknown } }[];
      }>();
      return [appointment.override, timeline.events[0]?.detail.override];
    };
    const whole = { rules: ['outside_hours'], reason };
    expect(await shown(admin)).toEqual([whole, whole]);
    expect(await shown(patient)).toEqual([{ rules: whole.rules }, { rules: whole.rules }]);
  });

  it('needs rules that can be broken and a reason', async () => {
    const { booking } = await world();
    const admin = await asAdmin(clinic.clinicId);
    for (const override of [
      { rules: ['slot_taken'], reason },
      { rules: [], reason },
      { rules: ['outside_hours'], reason: '  ' },
      { rules: ['outside_hours'], reason: 'a\u0000b' },
      { rules: ['outside_hours'] },
      { rules: ['outside_hours', 'outside_hours'], reason },
      'yes',
    ]) {
      const response = await call({
        method: 'POST',
        url: '/api/v1/appointments',
        payload: { ...late(booking), override },
        headers: admin,
      });
      expect([response.statusCode, codeOf(response)]).toEqual([400, 'validation_failed']);
    }
  });

  it('moves a visit where the rules would not', async () => {
    const { booking, patient } = await world();
    const admin = await asAdmin(clinic.clinicId);
    const booked = await call({ method: 'POST', url: '/api/v1/appointments', payload: booking, headers: patient });
    const move = (payload: object) =>
      call({
        method: 'PATCH',
        url: booked.headers['location'] ?? '',
        payload,
        headers: { ...admin, 'if-match': '"1"' },
      });
    expect(codeOf(await move(late({})))).toBe('outside_hours');
    const moved = await move({ ...late({}), override: { rules: ['outside_hours'], reason } });
    expect(moved.json()).toMatchObject({ moves: 1, override: { rules: ['outside_hours'], reason } });
  });
});
