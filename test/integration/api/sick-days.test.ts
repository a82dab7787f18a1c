import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { takeNextStep } from '../../../src/scheduling/sick-day/step.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, asProvider, startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;
let providerId: string;
let admin: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const call = (options: InjectOptions) => api.app.inject(options);
const get = (url: string, headers: Record<string, string>) => call({ url: `/api/v1${url}`, headers });
const post = (url: string, headers: Record<string, string>, payload?: object) =>
  call({ method: 'POST', url: `/api/v1${url}`, headers, ...(payload === undefined ? {} : { payload }) });
const said = (response: { statusCode: number; json: () => unknown }) =>
  `${response.statusCode} ${(response.json() as { code?: string }).code ?? ''}`.trim();

const book = async (time: string, given: { contact?: false } = {}) => {
  const patientId = await aPatient(database.owner, clinic, given.contact === false ? { phone: null, email: null } : {});
  const appointmentTime = slotAt(clinic, 3, time).toISOString();
  const booked = await post('/appointments', admin, { patientId, providerId, appointmentTime, durationMinutes: 30 });
  return { ...booked.json<{ appointmentId: string }>(), patientId };
};
const absence = () => ({
  providerId,
  from: slotAt(clinic, 3, '00:00').toISOString(),
  to: slotAt(clinic, 4, '00:00').toISOString(),
});
/** A clinic with a sick provider, a colleague, and visits of which each has had its first turn. */
const aSickDay = async (...times: string[]) => {
  clinic = await aClinic(database.owner);
  providerId = await aProvider(database.owner, clinic);
  admin = await asAdmin(clinic.clinicId);
  await aProvider(database.owner, clinic);
  const visits = [];
  for (const time of times) visits.push(await book(time));
  const unreachable = await book('17:00', { contact: false });
  const begun = await post('/sick-days', admin, absence());
  const { sickDayId } = begun.json<{ sickDayId: string }>();
  const act = { actor: { kind: 'system', id: 'test' }, clinicId: clinic.clinicId, now: new Date() } as const;
  for (const { appointmentId } of [...visits, unreachable]) {
    await takeNextStep(createSchedulingDeps(database.app), act, { sickDayId, appointmentId });
  }
  return { visits, unreachable, begun, sickDayId, url: `/sick-days/${sickDayId}` };
};
interface Offers {
  readonly offers: readonly { readonly offerId: string; readonly state: string; readonly startTime: string }[];
}
const offersOf = async (headers: Record<string, string>) => (await get('/offers', headers)).json<Offers>().offers;

describe('a sick day over HTTP', () => {
  it('begins, tells what becomes of each visit and who cannot be reached, and is listed', async () => {
    const { begun, sickDayId, url, visits, unreachable } = await aSickDay('09:00', '10:00');
    expect(begun.statusCode).toBe(201);
    expect(begun.headers['location']).toBe(`/api/v1/sick-days/${sickDayId}`);
    expect(begun.json()).toEqual({ sickDayId, affectedAppointments: 3 });
    const shown = (await get(url, admin)).json<{ outcomes: object[] }>();
    expect(shown).toMatchObject({
      state: 'RUNNING',
      reason: 'illness',
      steps: ['colleague', 'other_day', 'waitlist', 'call'],
      counts: { pending: 0, offered: 2, call: 1 },
      unreachable: [unreachable.appointmentId],
    });
    expect(shown.outcomes).toMatchObject([
      { appointmentId: visits[0]?.appointmentId, state: 'OFFERED', reason: 'colleague', taskId: null },
      { appointmentId: visits[1]?.appointmentId, state: 'OFFERED' },
      { appointmentId: unreachable.appointmentId, state: 'CALL', reason: 'no_contact', called: false },
    ]);
    const listed = (await get('/sick-days', admin)).json<{ sickDays: { sickDayId: string; counts: object }[] }>();
    expect(listed.sickDays).toMatchObject([{ sickDayId, counts: { offered: 2, call: 1 } }]);
    expect((await get('/sick-days?limit=1', admin)).json()).not.toHaveProperty('nextCursor');
  });

  it('is entered by providers for themselves, by administrators, and by nobody else', async () => {
    const { url, sickDayId } = await aSickDay('09:00');
    const provider = await asProvider(clinic.clinicId, providerId);
    const colleague = await asProvider(clinic.clinicId, await aProvider(database.owner, clinic));
    const stranger = await asAdmin((await aClinic(database.owner)).clinicId);
    const patient = await asPatient(await aPatient(database.owner, clinic));
    expect(said(await post('/sick-days', provider, absence()))).toBe('201');
    expect(said(await post('/sick-days', colleague, absence()))).toBe('403 forbidden');
    expect(said(await post('/sick-days', stranger, absence()))).toBe('404 not_found');
    expect(said(await post('/sick-days', patient, absence()))).toBe('403 forbidden');
    expect(said(await get(url, provider))).toBe('200');
    const readsAudited = () =>
      database.owner.db
        .selectFrom('audit_event')
        .select('request_id')
        .where('entity_id', '=', sickDayId)
        .where('action', '=', 'read')
        .execute();
    const readByThen = await readsAudited();
    expect(readByThen).not.toEqual([]);
    for (const headers of [colleague, stranger]) {
      expect(said(await get(url, headers))).toBe('404 not_found');
      for (const verb of ['pause', 'resume', 'stop']) {
        expect(said(await post(`${url}/${verb}`, headers))).toBe('404 not_found');
      }
      expect((await get('/sick-days', headers)).json()).toEqual({ sickDays: [] });
    }
    expect(await readsAudited()).toEqual(readByThen);
    expect((await get(url, provider)).json()).toMatchObject({ state: 'RUNNING' });
  });

  it('is refused with a clear answer, and entered once under a key', async () => {
    await aSickDay();
    const answer = async (change: object) => said(await post('/sick-days', admin, { ...absence(), ...change }));
    expect(await answer({ to: absence().from })).toBe('400 validation_failed');
    expect(await answer({ to: '2999-01-01T00:00:00Z' })).toBe('400 validation_failed');
    expect(await answer({ reason: 'a cold' })).toBe('400 validation_failed');
    expect(await answer({ steps: ['fax'] })).toBe('400 validation_failed');
    expect(await answer({ from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' })).toBe('422 in_the_past');
    expect(await answer({ providerId: crypto.randomUUID() })).toBe('404 not_found');
    const headers = { ...admin, 'idempotency-key': 'one absence' };
    const first = await post('/sick-days', headers, absence());
    const again = await post('/sick-days', headers, absence());
    expect(again.json()).toEqual(first.json());
    expect(again.headers['idempotency-replayed']).toBe('true');
  });

  it('is paused, resumed and stopped, each as often as anybody likes, and not after its end', async () => {
    const { url } = await aSickDay('09:00');
    for (const [verb, state] of [
      ['pause', 'PAUSED'],
      ['pause', 'PAUSED'],
      ['resume', 'RUNNING'],
      ['stop', 'STOPPED'],
      ['stop', 'STOPPED'],
    ] as const) {
      expect((await post(`${url}/${verb}`, admin)).json()).toMatchObject({ state });
    }
    expect((await get(url, admin)).json()).toMatchObject({ counts: { stopped: 1, call: 1 } });
    expect(said(await post(`${url}/pause`, admin))).toBe('409 sick_day_ended');
    expect(said(await post('/sick-days/01980000-0000-7000-8000-0000000fffff/pause', admin))).toBe('404 not_found');
  });
});

describe('an offer over HTTP', () => {
  it('is the patient’s to accept, and the visit is moved', async () => {
    const { visits, url } = await aSickDay('09:00', '10:00');
    const [mine, other] = visits;
    const patient = await asPatient(mine?.patientId ?? '');
    const [offer] = await offersOf(patient);
    expect(await offersOf(patient)).toHaveLength(1);
    const path = `/offers/${offer?.offerId ?? ''}`;
    const stranger = await asPatient(other?.patientId ?? '');
    expect(said(await get(path, stranger))).toBe('404 not_found');
    expect(said(await post(`${path}/accept`, stranger))).toBe('404 not_found');
    expect(said(await post(`${path}/accept`, await asProvider(clinic.clinicId, providerId)))).toBe('403 forbidden');

    expect((await post(`${path}/accept`, patient)).json()).toMatchObject({ state: 'ACCEPTED' });
    expect((await post(`${path}/accept`, patient)).json()).toMatchObject({ state: 'ACCEPTED' });
    expect(said(await post(`${path}/decline`, patient))).toBe('409 offer_closed');
    const visit = await get(`/appointments/${mine?.appointmentId ?? ''}`, patient);
    expect(visit.json()).toMatchObject({ appointmentTime: offer?.startTime });
    expect((await get(url, admin)).json()).toMatchObject({ counts: { moved: 1, offered: 1 } });
  });

  it('is answered by administrators on the patient’s behalf, and says when it has run out', async () => {
    await aSickDay('09:00', '10:00');
    const [first, second] = await offersOf(admin);
    expect((await post(`/offers/${first?.offerId ?? ''}/decline`, admin)).json()).toMatchObject({
      state: 'DECLINED',
    });
    await database.owner.db
      .updateTable('offer')
      .set({ expires_at: new Date(Date.now() - 1_000) })
      .where('offer_id', '=', second?.offerId ?? '')
      .execute();
    expect((await get(`/offers/${second?.offerId ?? ''}`, admin)).json()).toMatchObject({ state: 'EXPIRED' });
    expect(said(await post(`/offers/${second?.offerId ?? ''}/accept`, admin))).toBe('409 offer_closed');
  });
});

describe('a call task over HTTP', () => {
  it('is listed until the desk has called', async () => {
    const { unreachable } = await aSickDay();
    const open = (await get('/tasks?state=OPEN', admin)).json<{ tasks: { taskId: string }[] }>();
    expect(open.tasks).toMatchObject([
      { appointmentId: unreachable.appointmentId, patientId: unreachable.patientId, reason: 'no_contact' },
    ]);
    const path = `/tasks/${open.tasks[0]?.taskId ?? ''}/resolve`;
    const stranger = await asAdmin((await aClinic(database.owner)).clinicId);
    expect(said(await post(path, stranger, { outcome: 'kept' }))).toBe('404 not_found');
    expect(said(await post(path, admin, { outcome: 'shrug' }))).toBe('400 validation_failed');
    expect((await post(path, admin, { outcome: 'not_reached' })).json()).toMatchObject({
      state: 'RESOLVED',
      outcome: 'not_reached',
    });
    expect((await post(path, admin, { outcome: 'moved' })).json()).toMatchObject({ outcome: 'not_reached' });
    expect((await get('/tasks?state=OPEN', admin)).json()).toEqual({ tasks: [] });
  });
});
