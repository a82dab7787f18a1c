import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createClient, type MediConnectClient } from '../../../client/index.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asPatient, startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;
let baseUrl: string;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
  clinic = await aClinic(database.owner);
  baseUrl = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

/** The token is asked for with every request, as a client with a token that expires would. */
function clientOf(patientId: string): MediConnectClient {
  return createClient({
    baseUrl,
    token: async () => (await asPatient(patientId)).authorization.slice('Bearer '.length),
  });
}

it('books, moves, lists and cancels over the wire, typed by the OpenAPI document', async () => {
  const providerId = await aProvider(database.owner, clinic);
  const patientId = await aPatient(database.owner, clinic);
  const client = clientOf(patientId);
  const date = slotAt(clinic, 5, '12:00').toISOString().slice(0, 10);
  const search = await client.GET('/api/v1/providers/{providerId}/availability', {
    params: { path: { providerId }, query: { date, durationMinutes: 30 } },
  });
  const [first, second] = search.data?.availableSlots ?? [];
  if (first === undefined || second === undefined) throw new Error('nothing is offered');

  const body = { patientId, providerId, appointmentTime: first.startTime, durationMinutes: 30 };
  const header = { 'idempotency-key': 'a key of the client' };
  const booked = await client.POST('/api/v1/appointments', { params: { header }, body });
  const again = await client.POST('/api/v1/appointments', { params: { header }, body });
  expect(booked.data?.status).toBe('SCHEDULED');
  expect(again.data).toEqual(booked.data);
  expect(again.response.headers.get('idempotency-replayed')).toBe('true');

  const path = { appointmentId: booked.data?.appointmentId ?? '' };
  const moved = await client.PATCH('/api/v1/appointments/{appointmentId}', {
    params: { path, header: { 'if-match': booked.response.headers.get('etag') ?? '' } },
    body: { appointmentTime: second.startTime },
  });
  expect(moved.data).toMatchObject({ appointmentTime: second.startTime, version: 2 });
  const listed = await client.GET('/api/v1/appointments', { params: { query: { status: 'SCHEDULED' } } });
  expect(listed.data?.appointments.map(({ appointmentId }) => appointmentId)).toEqual([path.appointmentId]);
  const cancelled = await client.DELETE('/api/v1/appointments/{appointmentId}', { params: { path } });
  expect(cancelled.response.status).toBe(204);
});

it('gives a refusal as the problem document that it is', async () => {
  const client = clientOf(await aPatient(database.owner, clinic));
  const path = { appointmentId: '01980000-0000-7000-8000-0000000fffff' };
  const { error, data } = await client.GET('/api/v1/appointments/{appointmentId}', { params: { path } });
  expect(data).toBeUndefined();
  expect(error).toMatchObject({ code: 'not_found', status: 404 });
});
