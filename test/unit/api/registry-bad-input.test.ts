import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { InjectOptions } from 'light-my-request';
import { DEFAULT_POLICY } from '../../../src/domain/policy.ts';
import { anApi, asAdmin, asPatient, CLINIC, MISSING, OTHER_PATIENT, PATIENT, PROVIDER } from './api-under-test.ts';

let api: FastifyInstance;
let admin: { authorization: string };
beforeAll(async () => {
  // No door is given: whatever got past validation would be a 500 and fail the test.
  api = await anApi({ reads: { clinicOfProvider: () => Promise.resolve(CLINIC) } });
  admin = await asAdmin();
});
afterAll(() => api.close());

/** The status, and where the request is wrong. */
const refused = async (options: InjectOptions) => {
  const response = await api.inject({ ...options, headers: { ...admin, 'if-match': '"1"', ...options.headers } });
  const { code, errors } = response.json<{ code: string; errors?: { in: string; pointer: string }[] }>();
  return { status: response.statusCode, code, pointer: errors?.[0]?.pointer };
};
const invalid = (pointer: string) => ({ status: 400, code: 'validation_failed', pointer });

describe('a patient', () => {
  const NEW = {
    givenName: 'Jane',
    familyName: 'Doe-Secret',
    birthDate: '1980-05-17',
    locale: 'en-US',
    timeZone: 'America/New_York',
    preferredChannel: 'sms',
  };
  const WRONG: readonly [string, unknown][] = [
    ['givenName', ''],
    ['givenName', ' '],
    ['givenName', ' Jane'],
    ['givenName', 'Jane\n'],
    ['givenName', 'Ja\u0000ne'],
    ['givenName', 'Ja\u0085ne'],
    ['givenName', 'x'.repeat(101)],
    ['givenName', null],
    ['familyName', 7],
    ['familyName', ['Doe']],
    ['birthDate', '2030-01-09'],
    ['birthDate', '2999-12-31'],
    ['birthDate', '1899-12-31'],
    ['birthDate', '1980-02-30'],
    ['birthDate', '17.05.1980'],
    ['birthDate', null],
    ['phone', '015005550006'],
    ['phone', '+0123456789'],
    ['phone', '+1 500 555 0006'],
    ['phone', '+1234567890123456'],
    ['phone', '+123456'],
    ['phone', ''],
    ['email', 'jane'],
    ['email', '@example.org'],
    ['email', 'jane@'],
    ['email', 'jane@localhost'],
    ['email', 'jane@example..org'],
    ['email', 'jane@exam ple.org'],
    ['email', 'a@b@example.org'],
    ['email', 'jäne@example.org'],
    ['email', `${'x'.repeat(65)}@example.org`],
    ['email', `x@${'example.'.repeat(40)}org`],
    ['email', 'jane@example.org\r\nbcc:x@example.org'],
    ['locale', 'english'.repeat(6)],
    ['locale', 'e'],
    ['locale', 'de_DE'],
    ['locale', 'de-AT-de-AT'],
    ['locale', ''],
    ['timeZone', 'Mars/Olympus'],
    ['timeZone', '+01:00'],
    ['timeZone', ''],
    ['preferredChannel', 'pigeon'],
    ['preferredChannel', null],
  ];

  it.each(WRONG)('is not entered with a %s of %j', async (field, value) => {
    const answer = await refused({ method: 'POST', url: '/api/v1/patients', payload: { ...NEW, [field]: value } });
    expect(answer).toEqual(invalid(`/${field}`));
  });

  it.each(WRONG)('is not changed to a %s of %j', async (field, value) => {
    const url = `/api/v1/patients/${PATIENT}`;
    expect(await refused({ method: 'PATCH', url, payload: { [field]: value } })).toEqual(invalid(`/${field}`));
  });

  it('is not entered in part, nor with anything more, nor changed in nothing', async () => {
    for (const field of Object.keys(NEW)) {
      const payload = { ...NEW, [field]: undefined };
      expect(await refused({ method: 'POST', url: '/api/v1/patients', payload })).toEqual(invalid(`/${field}`));
    }
    const payload = { ...NEW, diagnosis: 'x' };
    expect(await refused({ method: 'POST', url: '/api/v1/patients', payload })).toEqual(invalid('/diagnosis'));
    const url = `/api/v1/patients/${PATIENT}`;
    expect(await refused({ method: 'PATCH', url, payload: {} })).toEqual(invalid(''));
    expect(await refused({ method: 'PATCH', url, payload: { version: 2 } })).toEqual(invalid('/version'));
  });

  it('is in no problem document', async () => {
    const response = await api.inject({
      method: 'POST',
      url: '/api/v1/patients',
      payload: { ...NEW, phone: '+1 500 555 0006', email: 'jane' },
      headers: admin,
    });
    expect(response.statusCode).toBe(400);
    expect(response.body).not.toMatch(/Jane|Doe-Secret|1980|555|jane/);
  });

  it.each([
    { familyName: '' },
    { familyName: '\0' },
    { birthDate: '1980' },
    { phone: '15005550006' },
    { email: 'jane' },
    { limit: 0 },
    { cursor: 'nonsense' },
    { givenName: 'Jane' },
  ])('is not looked for with %j', async (payload) => {
    expect(await refused({ method: 'POST', url: '/api/v1/patients/search', payload })).toMatchObject({ status: 400 });
  });

  it.each(['familyName=Doe', 'birthDate=1980-05-17', 'phone=%2B15005550006', 'email=jane@patients.example'])(
    'stands in no address: %s is refused there',
    async (query) => {
      expect(await refused({ url: `/api/v1/patients?${query}` })).toMatchObject({ status: 400 });
    },
  );

  it('is changed from one version that was read', async () => {
    const patch = (headers: Record<string, string>) =>
      refused({ method: 'PATCH', url: `/api/v1/patients/${PATIENT}`, payload: { phone: null }, headers });
    expect(await patch({ 'if-match': '*' })).toMatchObject({ status: 428 });
    expect(await patch({ 'if-match': 'W/"1"' })).toMatchObject({ status: 412 });
    expect(await patch({ 'if-match': '"1", "2"' })).toMatchObject({ status: 400 });
  });

  it('speaks for nobody else', async () => {
    const headers = await asPatient();
    expect(
      await refused({ method: 'PATCH', url: `/api/v1/patients/${OTHER_PATIENT}`, payload: { phone: null }, headers }),
    ).toMatchObject({ status: 404 });
    for (const method of ['PUT', 'DELETE'] as const) {
      const url = `/api/v1/clinics/${CLINIC}/registrations/${OTHER_PATIENT}`;
      expect(await refused({ method, url, headers })).toMatchObject({ status: 404 });
    }
  });
});

describe('a provider', () => {
  const NEW = { name: 'Dr. Mira Example', specialty: 'Cardiology', maxDailyAppointments: 12 };
  it.each([
    ['name', ''],
    ['name', 'x'.repeat(101)],
    ['name', 'a\u0000b'],
    ['name', null],
    ['specialty', 'x'.repeat(51)],
    ['specialty', ' '],
    ['maxDailyAppointments', 0],
    ['maxDailyAppointments', 1_001],
    ['maxDailyAppointments', 1.5],
    ['maxDailyAppointments', '12'],
  ])('is neither added nor changed with a %s of %j', async (field, value) => {
    const payload = { ...NEW, [field]: value };
    expect(await refused({ method: 'POST', url: '/api/v1/providers', payload })).toEqual(invalid(`/${field}`));
    expect(await refused({ method: 'PATCH', url: `/api/v1/providers/${PROVIDER}`, payload })).toEqual(
      invalid(`/${field}`),
    );
  });

  it('is not changed in nothing, nor at another clinic', async () => {
    const url = `/api/v1/providers/${PROVIDER}`;
    expect(await refused({ method: 'PATCH', url, payload: {} })).toEqual(invalid(''));
    expect(await refused({ method: 'PATCH', url, payload: { clinicId: MISSING } })).toEqual(invalid('/clinicId'));
  });
});

describe('a clinic', () => {
  it.each([
    ['name', ''],
    ['name', '\t'],
    ['timeZone', 'Europe/Atlantis'],
    ['timeZone', '+02:00'],
    ['timeZone', ''],
    ['slug', 'new-slug'],
    ['policy', {}],
  ])('is not changed to a %s of %j', async (field, value) => {
    expect(await refused({ method: 'PATCH', url: `/api/v1/clinics/${CLINIC}`, payload: { [field]: value } })).toEqual(
      invalid(`/${field}`),
    );
  });
});

describe('a policy', () => {
  const put = (payload: object) => refused({ method: 'PUT', url: `/api/v1/clinics/${CLINIC}/policy`, payload });
  const { waitlist, sickDay } = DEFAULT_POLICY;

  it.each([
    ['/reminderOffsets', { reminderOffsets: 'P1D' }],
    ['/reminderOffsets', { reminderOffsets: Array.from({ length: 11 }, (_, day) => `P${day + 1}D`) }],
    ['/reminderOffsets', { reminderOffsets: ['P1D', 'P1D'] }],
    ['/reminderOffsets', { reminderOffsets: ['P1D', 'PT24H'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['P'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['PT'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['P1M'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['P1Y'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['-P1D'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['p1d'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['P0.5D'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['PT10M'] }],
    ['/reminderOffsets/0', { reminderOffsets: ['P14W'] }],
    ['/reminderOffsets/0', { reminderOffsets: [7] }],
    ['/bookingNoticeMinutes', { bookingNoticeMinutes: -1 }],
    ['/bookingNoticeMinutes', { bookingNoticeMinutes: 2_880, bookingHorizonDays: 2 }],
    ['/bookingHorizonDays', { bookingHorizonDays: 0 }],
    ['/bookingHorizonDays', { bookingHorizonDays: 731 }],
    ['/moveNoticeMinutes', { moveNoticeMinutes: 1.5 }],
    ['/maxMovesPerAppointment', { maxMovesPerAppointment: -1 }],
    ['/maxUpcomingPerPatient', { maxUpcomingPerPatient: 0 }],
    ['/maxUpcomingPerProviderAndPatient', { maxUpcomingPerProviderAndPatient: '3' }],
    ['/cancellationNoticeMinutes', { cancellationNoticeMinutes: null }],
    ['/slotStepMinutes', { slotStepMinutes: 0 }],
    ['/slotStepMinutes', { slotStepMinutes: 7 }],
    ['/slotStepMinutes', { slotStepMinutes: 1_441 }],
    ['/bufferBeforeMinutes', { bufferBeforeMinutes: 241 }],
    ['/bufferAfterMinutes', { bufferAfterMinutes: -5 }],
    ['/holdMinutes', { holdMinutes: 0 }],
    ['/waitlist/mode', { waitlist: { ...waitlist, mode: 'lottery' } }],
    ['/waitlist/stopBeforeMinutes', { waitlist: { mode: 'auto-book' } }],
    ['/waitlist/more', { waitlist: { ...waitlist, more: 1 } }],
    ['/sickDay/steps', { sickDay: { ...sickDay, steps: ['call', 'call'] } }],
    ['/sickDay/steps/0', { sickDay: { ...sickDay, steps: ['fax'] } }],
    ['/sickDay/offerMinutes', { sickDay: { ...sickDay, offerMinutes: 0 } }],
    ['/sickDay/searchDays', { sickDay: { ...sickDay, searchDays: 91 } }],
    ['/completionGraceMinutes', { completionGraceMinutes: 1e9 }],
    ['/version', { version: 2 }],
  ])('is not taken with a wrong %s: %j', async (pointer, change) => {
    expect(await put({ ...DEFAULT_POLICY, ...change })).toEqual(invalid(pointer));
  });

  it('is taken whole or not at all', async () => {
    for (const field of Object.keys(DEFAULT_POLICY)) {
      expect(await put({ ...DEFAULT_POLICY, [field]: undefined })).toEqual(invalid(`/${field}`));
    }
  });
});
