import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import { DEFAULT_POLICY, type ClinicPolicy } from '../../../src/domain/policy.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aToken, SCOPES } from '../../support/tokens.ts';
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

type Headers = Record<string, string>;
interface Answer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Body & { readonly code?: string; readonly errors?: readonly { pointer: string; rule: string }[] };
}
/** `Body` is what the caller expects to find in the answer. */
async function call<Body = object>(options: InjectOptions): Promise<Answer<Body>> {
  const response = await api.app.inject(options);
  return {
    status: response.statusCode,
    headers: response.headers,
    body: (response.body === '' ? {} : response.json<unknown>()) as Answer<Body>['body'],
  };
}
const change = (method: 'PATCH' | 'PUT', url: string, payload: object, headers: Headers, version?: string) =>
  call({ method, url, payload, headers: { ...headers, ...(version === undefined ? {} : { 'if-match': version }) } });

/** What the audit holds about one thing, seen by the owner. */
const auditOf = (entityId: string) =>
  database.owner.db
    .selectFrom('audit_event')
    .select(['clinic_id', 'entity', 'action', 'actor_kind', 'detail'])
    .where('entity_id', '=', entityId)
    .where('action', '<>', 'read')
    .orderBy('audit_id')
    .execute();

describe('clinics', () => {
  it('are shown with the part of the policy that clients need, and nothing internal', async () => {
    const own = await aClinic(database.owner, { name: 'Hill Clinic' });
    const patientId = await aPatient(database.owner, own);
    const url = `/api/v1/clinics/${own.clinicId}`;
    const expected = {
      clinicId: own.clinicId,
      name: 'Hill Clinic',
      slug: own.slug,
      phone: null,
      timeZone: 'Europe/Berlin',
      policy: {
        slotStepMinutes: 15,
        bookingNoticeMinutes: 60,
        bookingHorizonDays: 180,
        moveNoticeMinutes: 0,
        cancellationNoticeMinutes: 1_440,
        holdMinutes: 5,
      },
    };
    for (const headers of [await asPatient(patientId), await asAdmin(own.clinicId)]) {
      const read = await call({ url, headers });
      expect(read).toMatchObject({ status: 200, headers: { etag: '"1"' } });
      expect(read.body).toEqual(expected);
      expect((await call({ url: '/api/v1/clinics', headers })).body).toEqual({ clinics: [expected] });
    }
  });

  it('are readable for a patient who is not registered there, and listed where they are, in pages', async () => {
    const patientId = await aPatient(database.owner);
    const headers = await asPatient(patientId);
    expect((await call({ url: `/api/v1/clinics/${clinic.clinicId}`, headers })).status).toBe(200);
    expect((await call({ url: '/api/v1/clinics', headers })).body).toEqual({ clinics: [] });
    for (const { clinicId } of [clinic, otherClinic]) {
      await call({ method: 'PUT', url: `/api/v1/clinics/${clinicId}/registrations/${patientId}`, headers });
    }
    const first = await call<{ clinics: { clinicId: string }[]; nextCursor: string }>({
      url: '/api/v1/clinics?limit=1',
      headers,
    });
    const second = await call<{ clinics: { clinicId: string }[] }>({
      url: `/api/v1/clinics?limit=1&cursor=${first.body.nextCursor}`,
      headers,
    });
    expect([...first.body.clinics, ...second.body.clinics].map(({ clinicId }) => clinicId)).toEqual([
      clinic.clinicId,
      otherClinic.clinicId,
    ]);
    expect(second.body).not.toHaveProperty('nextCursor');
  });

  it('are renamed and moved to another zone by their administrator, who has read them', async () => {
    const own = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, own);
    const headers = await asAdmin(own.clinicId);
    const url = `/api/v1/clinics/${own.clinicId}`;
    expect(await change('PATCH', url, { name: 'New name' }, headers)).toMatchObject({ status: 428 });
    expect(await change('PATCH', url, { name: 'New name' }, headers, '"7"')).toMatchObject({ status: 412 });
    const changed = await change('PATCH', url, { name: 'New name', timeZone: 'Asia/Tokyo' }, headers, '"1"');
    expect(changed).toMatchObject({
      status: 200,
      headers: { etag: '"2"' },
      body: { name: 'New name', timeZone: 'Asia/Tokyo', affectedAppointments: 0 },
    });
    const same = await change('PATCH', url, { timeZone: 'Asia/Tokyo' }, headers, '"2"');
    expect(same).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    const provider = await call({ url: `/api/v1/providers/${providerId}`, headers });
    expect(provider).toMatchObject({ headers: { etag: '"2"' }, body: { timeZone: 'Asia/Tokyo' } });
    expect(await auditOf(own.clinicId)).toEqual([
      {
        clinic_id: own.clinicId,
        entity: 'clinic',
        action: 'changed',
        actor_kind: 'staff',
        detail: { version: 2, changed: ['name', 'timeZone'], affected: 0 },
      },
    ]);
    expect((await change('PATCH', url, { name: 'x' }, await asProvider(own.clinicId, providerId), '"2"')).status).toBe(
      403,
    );
  });

  it('keep the instants of booked visits when they move to another zone, and offer by the new wall clock', async () => {
    const own = await aClinic(database.owner, { timeZone: 'Europe/Berlin' });
    const providerId = await aProvider(database.owner, own);
    const patientId = await aPatient(database.owner, own);
    const patient = await asPatient(patientId);
    const at = slotAt(own, 5, '09:00');
    const booked = await call<{ appointmentId: string }>({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: { patientId, providerId, appointmentTime: at.toISOString(), durationMinutes: 30 },
      headers: patient,
    });
    expect(booked.status).toBe(201);
    const admin = await asAdmin(own.clinicId);
    await change('PATCH', `/api/v1/clinics/${own.clinicId}`, { timeZone: 'Asia/Kathmandu' }, admin, '"1"');
    const read = await call({ url: `/api/v1/appointments/${booked.body.appointmentId}`, headers: patient });
    expect(read.body).toMatchObject({ appointmentTime: at.toISOString().replace('.000Z', 'Z'), version: 1 });
    const there = { ...own, timeZone: 'Asia/Kathmandu' };
    const search = await call<{ availableSlots: { startTime: string }[] }>({
      url: `/api/v1/providers/${providerId}/availability?date=${slotAt(there, 6, '12:00').toISOString().slice(0, 10)}&durationMinutes=30`,
      headers: patient,
    });
    expect(search.body.availableSlots[0]?.startTime).toBe(
      slotAt(there, 6, '08:00').toISOString().replace('.000Z', 'Z'),
    );
  });
});

describe('a clinic’s policy', () => {
  const urlOf = (own: Clinic) => `/api/v1/clinics/${own.clinicId}/policy`;

  it('is read and replaced as a whole; its version is the ETag', async () => {
    const own = await aClinic(database.owner);
    const headers = await asAdmin(own.clinicId);
    const read = await call({ url: urlOf(own), headers });
    expect(read).toMatchObject({ status: 200, headers: { etag: '"1"' } });
    expect(read.body).toEqual(DEFAULT_POLICY);
    const policy: ClinicPolicy = {
      ...DEFAULT_POLICY,
      reminderOffsets: ['P1W', 'PT3H'],
      slotStepMinutes: 20,
      maxUpcomingPerPatient: 3,
      sickDay: { steps: ['other_day', 'call'], offerMinutes: 60, searchDays: 7 },
    };
    expect(await change('PUT', urlOf(own), policy, headers)).toMatchObject({ status: 428 });
    expect(await change('PUT', urlOf(own), policy, headers, '"2"')).toMatchObject({ status: 412 });
    const changed = await change('PUT', urlOf(own), policy, headers, '"1"');
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    expect(changed.body).toEqual(policy);
    expect(await change('PUT', urlOf(own), policy, headers, '"2"')).toMatchObject({ headers: { etag: '"2"' } });
    expect((await call({ url: urlOf(own), headers })).body).toEqual(policy);
    const seen = await call({ url: `/api/v1/clinics/${own.clinicId}`, headers });
    expect(seen).toMatchObject({ headers: { etag: '"2"' }, body: { policy: { slotStepMinutes: 20 } } });
    expect(await auditOf(own.clinicId)).toEqual([
      {
        clinic_id: own.clinicId,
        entity: 'clinic',
        action: 'policy_changed',
        actor_kind: 'staff',
        detail: {
          policyVersion: 2,
          changed: expect.arrayContaining([
            'reminderOffsets',
            'slotStepMinutes',
            'maxUpcomingPerPatient',
            'sickDay',
          ]) as unknown,
        },
      },
    ]);
    const versions = await database.owner.db
      .selectFrom('clinic_policy')
      .select(['policy_version', 'policy'])
      .where('clinic_id', '=', own.clinicId)
      .orderBy('policy_version')
      .execute();
    expect(versions).toEqual([
      { policy_version: 1, policy: DEFAULT_POLICY },
      { policy_version: 2, policy },
    ]);
  });

  it('is changed by one of two who have read the same version', async () => {
    const own = await aClinic(database.owner);
    const headers = await asAdmin(own.clinicId);
    const answers = await Promise.all(
      [10, 20].map((slotStepMinutes) =>
        change('PUT', urlOf(own), { ...DEFAULT_POLICY, slotStepMinutes }, headers, '"1"'),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it('is the providers’ to read and the administrator’s to change', async () => {
    const provider = await asProvider(clinic.clinicId, await aProvider(database.owner, clinic));
    expect((await call({ url: urlOf(clinic), headers: provider })).status).toBe(200);
    expect((await change('PUT', urlOf(clinic), DEFAULT_POLICY, provider, '"1"')).status).toBe(403);
    const patient = await asPatient(await aPatient(database.owner, clinic));
    expect((await call({ url: urlOf(clinic), headers: patient })).status).toBe(403);
  });
});

describe('providers', () => {
  const NEW = { name: 'Dr. Mira Example', specialty: 'Cardiology', maxDailyAppointments: 12 };

  it('are added once under one key, and changed from the version that was read', async () => {
    const own = await aClinic(database.owner);
    const headers = { ...(await asAdmin(own.clinicId)), 'idempotency-key': randomUUID() };
    const add = (payload: object) =>
      call<{ providerId: string }>({ method: 'POST', url: '/api/v1/providers', payload, headers });
    const added = await add(NEW);
    expect(added).toMatchObject({
      status: 201,
      headers: { etag: '"1"' },
      body: { ...NEW, clinicId: own.clinicId, timeZone: 'Europe/Berlin' },
    });
    const url = String(added.headers['location']);
    expect((await call({ url, headers })).body).toEqual(added.body);
    const again = await add(NEW);
    expect(again.body).toEqual(added.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await add({ ...NEW, name: 'Another' })).toMatchObject({ status: 422 });

    expect(await change('PATCH', url, { name: 'Dr. M. Example' }, headers)).toMatchObject({ status: 428 });
    const changed = await change('PATCH', url, { name: 'Dr. M. Example', maxDailyAppointments: 2 }, headers, '"1"');
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { maxDailyAppointments: 2 } });
    expect(await change('PATCH', url, { specialty: 'Neurology' }, headers, '"1"')).toMatchObject({ status: 412 });
    const same = await change('PATCH', url, { maxDailyAppointments: 2 }, headers, '"2"');
    expect(same).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    expect((await auditOf(added.body.providerId)).map(({ action, detail }) => ({ action, detail }))).toEqual([
      { action: 'created', detail: { version: 1 } },
      { action: 'changed', detail: { version: 2, changed: ['name', 'maxDailyAppointments'] } },
    ]);
  });

  it('tell patients nothing of how full a day may get', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const headers = await asPatient(await aPatient(database.owner));
    const read = await call({ url: `/api/v1/providers/${providerId}`, headers });
    expect(read.body).not.toHaveProperty('maxDailyAppointments');
  });

  it('keep their booked visits when the day’s limit sinks below them, and take no more', async () => {
    const own = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, own);
    const book = async (time: string) => {
      const patientId = await aPatient(database.owner, own);
      return call({
        method: 'POST',
        url: '/api/v1/appointments',
        payload: {
          patientId,
          providerId,
          appointmentTime: slotAt(own, 5, time).toISOString(),
          durationMinutes: 30,
        },
        headers: await asPatient(patientId),
      });
    };
    for (const time of ['09:00', '10:00', '11:00']) expect((await book(time)).status).toBe(201);
    const admin = await asAdmin(own.clinicId);
    await change('PATCH', `/api/v1/providers/${providerId}`, { maxDailyAppointments: 1 }, admin, '"1"');
    expect(await book('12:00')).toMatchObject({ status: 422, body: { code: 'day_full' } });
    const visits = await call<{ appointments: object[] }>({
      url: `/api/v1/appointments?providerId=${providerId}&status=SCHEDULED`,
      headers: admin,
    });
    expect(visits.body.appointments).toHaveLength(3);
  });

  it('are added and changed by administrators alone', async () => {
    const providerId = await aProvider(database.owner, clinic);
    for (const headers of [
      await asProvider(clinic.clinicId, providerId),
      await asPatient(await aPatient(database.owner, clinic)),
    ]) {
      expect((await call({ method: 'POST', url: '/api/v1/providers', payload: NEW, headers })).status).toBe(403);
      expect((await change('PATCH', `/api/v1/providers/${providerId}`, NEW, headers, '"1"')).status).toBe(403);
    }
  });

  it('are not added at a clinic that does not exist', async () => {
    const headers = await asAdmin(randomUUID());
    expect((await call({ method: 'POST', url: '/api/v1/providers', payload: NEW, headers })).status).toBe(404);
  });

  it('are not taken for those that one key has added at another clinic', async () => {
    const add = async (at: Clinic) =>
      call({ method: 'POST', url: '/api/v1/providers', payload: NEW, headers: await atBothClinics(at.clinicId) });
    expect(await add(await aClinic(database.owner))).toMatchObject({ status: 201 });
    expect(await add(await aClinic(database.owner))).toMatchObject({
      status: 422,
      body: { code: 'idempotency_mismatch' },
    });
  });
});

/** Somebody who works for two clinics, with a token of one of them and one key for everything. */
const atBothClinics = async (clinicId: string) => ({
  authorization: `Bearer ${await aToken({ sub: 'admin-of-both', role: 'clinic_admin', scope: SCOPES.clinicAdmin, clinic_id: clinicId })}`,
  'idempotency-key': 'of-both',
});

const JANE = {
  givenName: 'Jane',
  familyName: 'Ångström',
  birthDate: '1980-05-17',
  phone: '+15005550006',
  email: 'Jane.A@patients.example',
  locale: 'sv-se',
  timeZone: 'Europe/Stockholm',
  preferredChannel: 'email',
};

describe('patients', () => {
  const add = (payload: object, headers: Headers) =>
    call<{ patientId: string }>({ method: 'POST', url: '/api/v1/patients', payload, headers });

  it('are entered and registered in one, once under one key', async () => {
    const headers = { ...(await asAdmin(clinic.clinicId)), 'idempotency-key': randomUUID() };
    const added = await add(JANE, headers);
    expect(added).toMatchObject({ status: 201, headers: { etag: '"1"' } });
    expect(added.body).toMatchObject({ ...JANE, locale: 'sv-SE', reachable: true, version: 1 });
    const url = String(added.headers['location']);
    expect((await call({ url, headers })).body).toEqual(added.body);
    const again = await add(JANE, headers);
    expect(again.body).toEqual(added.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await add({ ...JANE, givenName: 'June' }, headers)).toMatchObject({ status: 422 });
    const registrations = await database.owner.db
      .selectFrom('registration')
      .select('clinic_id')
      .where('patient_id', '=', added.body.patientId)
      .execute();
    expect(registrations).toEqual([{ clinic_id: clinic.clinicId }]);

    const kept = await database.owner.db
      .selectFrom('idempotency_key')
      .select('response')
      .where('key', '=', headers['idempotency-key'])
      .execute();
    expect(kept).toEqual([{ response: { patientId: added.body.patientId } }]);
    expect((await call({ url, headers: await asPatient(added.body.patientId) })).body).toEqual(added.body);
  });

  it('are not taken for those that one key has entered at another clinic', async () => {
    expect(await add(JANE, await atBothClinics(clinic.clinicId))).toMatchObject({ status: 201 });
    expect(await add(JANE, await atBothClinics((await aClinic(database.owner)).clinicId))).toMatchObject({
      status: 422,
      body: { code: 'idempotency_mismatch' },
    });
  });

  it('without any address are told to be out of reach', async () => {
    const headers = await asAdmin(clinic.clinicId);
    const without = { ...JANE, phone: undefined, email: undefined };
    expect((await add(without, headers)).body).toMatchObject({ phone: null, email: null, reachable: false });
    expect((await add({ ...without, phone: null }, headers)).body).toMatchObject({ phone: null, reachable: false });
  });

  it('change themselves and are changed by their clinic; the audit names the fields and no value', async () => {
    const patientId = await aPatient(database.owner, clinic);
    const url = `/api/v1/patients/${patientId}`;
    const own = await asPatient(patientId);
    const admin = await asAdmin(clinic.clinicId);
    expect(await change('PATCH', url, { phone: '+15005550001' }, own)).toMatchObject({ status: 428 });
    const byThemselves = await change('PATCH', url, { familyName: 'Secretname', phone: '+15005550001' }, own, '"1"');
    expect(byThemselves).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { phone: '+15005550001' } });
    const byStaff = await change('PATCH', url, { email: null, preferredChannel: 'sms' }, admin, '"2"');
    expect(byStaff).toMatchObject({ status: 200, headers: { etag: '"3"' }, body: { email: null, reachable: true } });
    expect(await change('PATCH', url, { email: null }, admin, '"3"')).toMatchObject({ headers: { etag: '"3"' } });
    const events = await auditOf(patientId);
    expect(events).toEqual([
      {
        clinic_id: null,
        entity: 'patient',
        action: 'changed',
        actor_kind: 'patient',
        detail: { version: 2, changed: ['familyName', 'phone'] },
      },
      {
        clinic_id: clinic.clinicId,
        entity: 'patient',
        action: 'changed',
        actor_kind: 'staff',
        detail: { version: 3, changed: ['email'] },
      },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/Secretname|5005550001/);
  });

  it('who are registered nowhere change themselves too', async () => {
    const patientId = await aPatient(database.owner);
    const answer = await change(
      'PATCH',
      `/api/v1/patients/${patientId}`,
      { locale: 'ES' },
      await asPatient(patientId),
      '"1"',
    );
    expect(answer).toMatchObject({ status: 200, body: { locale: 'es' } });
    expect(await auditOf(patientId)).toHaveLength(1);
  });

  it('are changed by one of two who have read the same version', async () => {
    const patientId = await aPatient(database.owner, clinic);
    const url = `/api/v1/patients/${patientId}`;
    for (let round = 1; round <= 5; round += 1) {
      const answers = await Promise.all([
        change('PATCH', url, { givenName: `Patient${round}` }, await asPatient(patientId), `"${round}"`),
        change('PATCH', url, { givenName: `Staff${round}` }, await asAdmin(clinic.clinicId), `"${round}"`),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    }
  });

  it('are listed by name and found by prefix, birth date, phone and email, in pages', async () => {
    const own = await aClinic(database.owner);
    const headers = await asAdmin(own.clinicId);
    const names = [
      ['Zoe', 'Adler'],
      ['Anna', 'adler'],
      ['Bo', 'Ädler'],
      ['Cy', 'Zucker'],
      ['Al', 'Adlersson'],
      ['P%', 'O’Ne_il%'],
    ] as const;
    for (const [givenName, familyName] of names) await add({ ...JANE, givenName, familyName }, headers);
    await aPatient(database.owner, otherClinic, { familyName: 'Adlerova' });
    const find = async (payload: object) => {
      const found = await call<{ patients: { givenName: string; familyName: string }[]; nextCursor?: string }>({
        method: 'POST',
        url: '/api/v1/patients/search',
        payload,
        headers,
      });
      expect(found.status).toBe(200);
      return { names: found.body.patients.map((each) => each.givenName), nextCursor: found.body.nextCursor };
    };
    const order = ['Anna', 'Zoe', 'Bo', 'Al', 'P%', 'Cy'];
    expect((await find({})).names).toEqual(order);
    const pages: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await find({ limit: 2, ...(cursor === '' ? {} : { cursor }) });
      pages.push(...page.names);
      cursor = page.nextCursor;
    }
    expect(pages).toEqual(order);
    expect((await find({ familyName: 'ADL' })).names).toEqual(['Anna', 'Zoe', 'Al']);
    expect((await find({ familyName: 'o’ne_il%' })).names).toEqual(['P%']);
    expect((await find({ familyName: '%' })).names).toEqual([]);
    expect((await find({ birthDate: '1980-05-17', familyName: 'zuck' })).names).toEqual(['Cy']);
    expect((await find({ birthDate: '1980-05-18' })).names).toEqual([]);
    expect((await find({ phone: '+15005550006' })).names).toHaveLength(6);
    expect((await find({ phone: '+15005550007' })).names).toEqual([]);
    expect((await find({ email: 'JANE.a@PATIENTS.example', limit: 100 })).names).toHaveLength(6);
  });

  it('do not go missing on the next page: a cursor that has lost its patient is refused', async () => {
    const own = await aClinic(database.owner);
    const headers = await asAdmin(own.clinicId);
    const first = await add(JANE, headers);
    await add({ ...JANE, familyName: 'Östberg' }, headers);
    const page = await call<{ nextCursor: string }>({ url: '/api/v1/patients?limit=1', headers });
    const gone = `/api/v1/clinics/${own.clinicId}/registrations/${first.body.patientId}`;
    expect((await call({ method: 'DELETE', url: gone, headers })).status).toBe(204);
    const next = await call({ url: `/api/v1/patients?limit=1&cursor=${page.body.nextCursor}`, headers });
    expect(next).toMatchObject({ status: 400, body: { errors: [{ pointer: '/cursor' }] } });
  });

  it('are read by staff under audit', async () => {
    const own = await aClinic(database.owner);
    const patientId = await aPatient(database.owner, own);
    const headers = await asProvider(own.clinicId, await aProvider(database.owner, own));
    await call({ url: `/api/v1/patients/${patientId}`, headers });
    await call({ url: '/api/v1/patients', headers });
    await call({ url: `/api/v1/patients/${patientId}`, headers: await asPatient(patientId) });
    const reads = await database.owner.db
      .selectFrom('audit_event')
      .select(['entity', 'entity_id', 'detail'])
      .where('clinic_id', '=', own.clinicId)
      .where('action', '=', 'read')
      .execute();
    expect(reads).toEqual([
      { entity: 'patient', entity_id: patientId, detail: {} },
      { entity: 'clinic', entity_id: own.clinicId, detail: { what: 'patients', count: 1 } },
    ]);
  });

  it('are entered at a clinic that does not exist by nobody, and leave nothing behind', async () => {
    const familyName = `Ghost ${randomUUID()}`;
    expect((await add({ ...JANE, familyName }, await asAdmin(randomUUID()))).status).toBe(404);
    const left = await database.owner.db
      .selectFrom('patient')
      .selectAll()
      .where('family_name', '=', familyName)
      .execute();
    expect(left).toEqual([]);
  });
});

describe('registrations', () => {
  const urlOf = (at: Clinic | { clinicId: string }, patientId: string) =>
    `/api/v1/clinics/${at.clinicId}/registrations/${patientId}`;
  const register = async (at: { clinicId: string }, patientId: string, headers?: Headers) =>
    call({ method: 'PUT', url: urlOf(at, patientId), headers: headers ?? (await asPatient(patientId)) });
  const end = (at: { clinicId: string }, patientId: string, headers: Headers) =>
    call({ method: 'DELETE', url: urlOf(at, patientId), headers });

  it('are made by the patient once, however often they are asked for, and make the patient visible', async () => {
    const patientId = await aPatient(database.owner);
    const admin = await asAdmin(clinic.clinicId);
    const url = `/api/v1/patients/${patientId}`;
    expect((await call({ url, headers: admin })).status).toBe(404);
    const first = await register(clinic, patientId);
    expect(first).toMatchObject({ status: 201, body: { clinicId: clinic.clinicId, patientId } });
    const again = await register(clinic, patientId);
    expect({ status: again.status, body: again.body }).toEqual({ status: 200, body: first.body });
    expect((await call({ url, headers: admin })).status).toBe(200);
    expect((await auditOf(patientId)).map(({ action }) => action)).toEqual(['registered']);
  });

  it('race to one', async () => {
    const patientId = await aPatient(database.owner);
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(clinic, patientId)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
  });

  it('are nobody else’s to make, and need a clinic and a patient that exist', async () => {
    const patientId = await aPatient(database.owner);
    expect((await register(clinic, patientId, await asPatient(await aPatient(database.owner)))).status).toBe(404);
    expect((await register(clinic, patientId, await asAdmin(clinic.clinicId))).status).toBe(403);
    expect((await register({ clinicId: randomUUID() }, patientId)).status).toBe(404);
    expect((await register(clinic, randomUUID())).status).toBe(404);
  });

  it('end while nothing refers to them, by the patient or the clinic, and only once', async () => {
    const patientId = await aPatient(database.owner, clinic);
    const admin = await asAdmin(clinic.clinicId);
    expect((await end(clinic, patientId, await asAdmin(otherClinic.clinicId))).status).toBe(404);
    expect((await end(clinic, patientId, admin)).status).toBe(204);
    expect((await call({ url: `/api/v1/patients/${patientId}`, headers: admin })).status).toBe(404);
    expect((await end(clinic, patientId, admin)).status).toBe(404);
    await register(clinic, patientId);
    expect((await end(clinic, patientId, await asPatient(await aPatient(database.owner)))).status).toBe(404);
    expect((await end(clinic, patientId, await asPatient(patientId))).status).toBe(204);
    expect((await auditOf(patientId)).map(({ action }) => action)).toEqual([
      'registration_ended',
      'registered',
      'registration_ended',
    ]);
  });

  it('stay while a visit refers to them, a cancelled one included', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner);
    const patient = await asPatient(patientId);
    const booked = await call({
      method: 'POST',
      url: '/api/v1/appointments',
      payload: {
        patientId,
        providerId,
        appointmentTime: slotAt(clinic, 5, '10:00').toISOString(),
        durationMinutes: 30,
      },
      headers: patient,
    });
    await call({ method: 'DELETE', url: String(booked.headers['location']), headers: patient });
    expect(await end(clinic, patientId, patient)).toMatchObject({
      status: 409,
      body: { code: 'registration_in_use' },
    });
    expect((await call({ url: `/api/v1/patients/${patientId}`, headers: await asAdmin(clinic.clinicId) })).status).toBe(
      200,
    );
  });

  it('end or are booked with, never both', async () => {
    const providerId = await aProvider(database.owner, clinic);
    for (let round = 0; round < 8; round += 1) {
      const patientId = await aPatient(database.owner, clinic);
      const patient = await asPatient(patientId);
      const [ended, booked] = await Promise.all([
        end(clinic, patientId, patient),
        call({
          method: 'POST',
          url: '/api/v1/appointments',
          payload: {
            patientId,
            providerId,
            appointmentTime: slotAt(clinic, 6 + round, '10:00').toISOString(),
            durationMinutes: 30,
          },
          headers: patient,
        }),
      ]);
      // Ended first: the booking registers the patient anew.
      expect(booked.status).toBe(201);
      expect([204, 409]).toContain(ended.status);
      const admin = await asAdmin(clinic.clinicId);
      expect((await call({ url: `/api/v1/patients/${patientId}`, headers: admin })).status).toBe(200);
    }
  });
});

describe('the list of appointments', () => {
  it('is cut to one clinic for a patient who has visits at two', async () => {
    const patientId = await aPatient(database.owner);
    const headers = await asPatient(patientId);
    for (const [index, at] of [clinic, otherClinic].entries()) {
      const providerId = await aProvider(database.owner, at);
      await call({
        method: 'POST',
        url: '/api/v1/appointments',
        payload: {
          patientId,
          providerId,
          appointmentTime: slotAt(at, 5 + index, '10:00').toISOString(),
          durationMinutes: 30,
        },
        headers,
      });
    }
    const listed = async (query: string) =>
      (
        await call<{ appointments: { clinicId: string }[] }>({ url: `/api/v1/appointments${query}`, headers })
      ).body.appointments.map(({ clinicId }) => clinicId);
    expect(await listed('')).toEqual([clinic.clinicId, otherClinic.clinicId]);
    expect(await listed(`?clinicId=${otherClinic.clinicId}`)).toEqual([otherClinic.clinicId]);
    expect(await listed(`?clinicId=${randomUUID()}`)).toEqual([]);
  });

  it('is of one’s own clinic for staff, whatever they name', async () => {
    const headers = await asAdmin(clinic.clinicId);
    expect((await call({ url: `/api/v1/appointments?clinicId=${clinic.clinicId}`, headers })).status).toBe(200);
    expect((await call({ url: `/api/v1/appointments?clinicId=${otherClinic.clinicId}`, headers })).status).toBe(404);
  });
});
