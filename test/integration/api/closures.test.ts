import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import { aClinic, aPatient, aProvider, dateIn, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, asProvider, startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

async function call(
  clinic: Clinic,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  given: { payload?: unknown; headers?: Readonly<Record<string, string>> } = {},
) {
  const response = await api.app.inject({
    method,
    url: `/api/v1/clinics/${clinic.clinicId}/closures${path}`,
    headers: { ...(await asAdmin(clinic.clinicId)), ...given.headers },
    ...(given.payload === undefined ? {} : { payload: given.payload as NonNullable<InjectOptions['payload']> }),
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    body: response.body === '' ? {} : response.json<Record<string, unknown>>(),
  };
}

const inDays = (days: number) => dateIn({ timeZone: 'Europe/Berlin' }, days);
const closure = (day: number, given: object = {}) => ({
  fromDate: inDays(day),
  toDate: inDays(day),
  name: 'Inventory',
  ...given,
});

async function aVisit(clinic: Clinic, time: string, day: number) {
  const providerId = await aProvider(database.owner, clinic);
  const patientId = await aPatient(database.owner, clinic);
  const booked = await api.app.inject({
    method: 'POST',
    url: '/api/v1/appointments',
    headers: await asPatient(patientId),
    payload: { patientId, providerId, appointmentTime: slotAt(clinic, day, time).toISOString(), durationMinutes: 30 },
  });
  return { providerId, patientId, ...booked.json<{ appointmentId: string }>() };
}

describe('closures', () => {
  it('are added once under a key, listed in pages and removed', async () => {
    const clinic = await aClinic(database.owner);
    const visit = await aVisit(clinic, '09:00', 3);
    const headers = { 'idempotency-key': randomUUID() };
    const added = await call(clinic, 'POST', '', { payload: closure(3), headers });
    expect([added.status, added.body]).toEqual([201, { closureId: expect.any(String), affectedAppointments: 1 }]);
    const again = await call(clinic, 'POST', '', { payload: closure(3), headers });
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([added.body, 'true']);
    const yearly = { fromDate: '2020-12-25', toDate: '2020-12-26', name: 'Christmas', yearly: true };
    await call(clinic, 'POST', '', { payload: yearly });
    await call(clinic, 'POST', '', { payload: closure(-10) });

    const first = await call(clinic, 'GET', '?limit=1');
    expect(first.body['closures']).toEqual([{ closureId: expect.any(String), ...yearly, imported: false }]);
    const second = await call(clinic, 'GET', `?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(second.body).toEqual({
      closures: [{ closureId: added.body['closureId'], ...closure(3), yearly: false, imported: false }],
    });
    expect((await call(clinic, 'GET', '?from=2000-01-01')).body['closures']).toHaveLength(3);

    const search = await api.app.inject({
      url: `/api/v1/providers/${visit.providerId}/availability?date=${inDays(3)}&durationMinutes=30`,
      headers: await asPatient(visit.patientId),
    });
    expect(search.json()).toEqual({ availableSlots: [] });

    const one = `/${String(added.body['closureId'])}`;
    expect((await call(clinic, 'DELETE', one)).status).toBe(204);
    expect((await call(clinic, 'DELETE', one)).status).toBe(404);
  });

  it('are changed by administrators of the clinic, read by its staff, and do not exist for others', async () => {
    const clinic = await aClinic(database.owner);
    const providerId = await aProvider(database.owner, clinic);
    const foreign = await asAdmin((await aClinic(database.owner)).clinicId);
    const provider = await asProvider(clinic.clinicId, providerId);
    const patient = await asPatient(await aPatient(database.owner, clinic));
    const missing = { clinicId: randomUUID(), timeZone: 'Europe/Berlin', slug: 'none' };
    for (const [method, path, payload] of [
      ['GET', '', undefined],
      ['POST', '', closure(3)],
      ['DELETE', `/${randomUUID()}`, undefined],
    ] as const) {
      const given = payload === undefined ? {} : { payload };
      const statusFor = async (headers: { authorization: string }) =>
        (await call(clinic, method, path, { ...given, headers })).status;
      expect(await statusFor(provider)).toBe(method === 'GET' ? 200 : 403);
      expect(await statusFor(patient)).toBe(403);
      const headers = { ...foreign, 'x-request-id': '01980000-0000-7000-8000-000000000013' };
      const hidden = await call(clinic, method, path, { ...given, headers });
      const absent = await call(missing, method, path, { ...given, headers });
      expect([hidden.status, hidden.text]).toEqual([404, absent.text]);
    }
    const other = await aClinic(database.owner);
    const { closureId } = (await call(other, 'POST', '', { payload: closure(3) })).body;
    expect((await call(clinic, 'DELETE', `/${String(closureId)}`)).status).toBe(404);
    expect((await call(other, 'GET', '')).body['closures']).toHaveLength(1);
  });

  it('are refused with the place of what is wrong', async () => {
    const clinic = await aClinic(database.owner);
    const refusal = async (payload: object) => (await call(clinic, 'POST', '', { payload })).body['errors'];
    const field = (pointer: string, rule: string) => [expect.objectContaining({ in: 'body', pointer, rule })];
    expect(await refusal(closure(3, { toDate: inDays(2) }))).toEqual(field('/toDate', 'minimum'));
    expect(await refusal(closure(3, { toDate: inDays(3 + 366) }))).toEqual(field('/toDate', 'maximum'));
    expect(await refusal(closure(3, { toDate: inDays(3 + 365), yearly: true }))).toEqual(field('/toDate', 'maximum'));
    expect(await refusal(closure(3, { fromDate: '2027-02-30' }))).toEqual(field('/fromDate', 'format'));
    expect(await refusal(closure(3, { name: ' ' }))).toEqual(field('/name', 'pattern'));
    const leap = { fromDate: '2028-02-29', toDate: '2029-02-27', name: 'Long', yearly: true };
    expect((await call(clinic, 'POST', '', { payload: leap })).status).toBe(201);
  });
});

describe('the import of a calendar file', () => {
  const compact = (date: string) => date.replaceAll('-', '');
  const file = (...events: string[][]) =>
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      ...events.flatMap((lines) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']),
      'END:VCALENDAR',
      '',
    ].join('\r\n');
  const holidays = () =>
    file(
      ['UID:single', 'SUMMARY:Open day', `DTSTART;VALUE=DATE:${compact(inDays(5))}`],
      ['UID:christmas', 'SUMMARY:Christmas', 'DTSTART;VALUE=DATE:20201225', 'RRULE:FREQ=YEARLY'],
      ['UID:weekly', 'SUMMARY:Training', `DTSTART;VALUE=DATE:${compact(inDays(6))}`, 'RRULE:FREQ=WEEKLY;COUNT=3'],
      ['UID:meeting', 'SUMMARY:Meeting', 'DTSTART:20270501T090000Z', 'DTEND:20270501T100000Z'],
      ['SUMMARY:Nobody', 'DTSTART;VALUE=DATE:20270501'],
    );
  const send = (clinic: Clinic, payload: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
    call(clinic, 'POST', '/import', {
      payload,
      headers: { 'content-type': 'text/calendar; charset=utf-8', ...headers },
    });

  it('closes the clinic on its holidays, names what it leaves out, and doubles nothing when it is repeated', async () => {
    const clinic = await aClinic(database.owner);
    await aVisit(clinic, '09:00', 5);
    const skipped = [{ uid: 'meeting', reason: 'not_all_day' }, { reason: 'no_uid' }];
    const first = await send(clinic, holidays());
    expect([first.status, first.body]).toEqual([
      200,
      { imported: 5, unchanged: 0, removed: 0, affectedAppointments: 1, skipped },
    ]);
    expect((await send(clinic, holidays())).body).toEqual({
      imported: 0,
      unchanged: 5,
      removed: 0,
      affectedAppointments: 0,
      skipped,
    });
    const listed = (await call(clinic, 'GET', '')).body['closures'] as Record<string, unknown>[];
    expect(listed).toHaveLength(5);
    expect(listed[0]).toMatchObject({ fromDate: '2020-12-25', name: 'Christmas', yearly: true, imported: true });

    const moved = file(['UID:single', 'SUMMARY:Open day', `DTSTART;VALUE=DATE:${compact(inDays(8))}`]);
    expect((await send(clinic, moved)).body).toMatchObject({ imported: 1, unchanged: 0, removed: 1 });
  });

  it('is previewed: what it would say, whom it would affect, and nothing is written', async () => {
    const clinic = await aClinic(database.owner);
    const visit = await aVisit(clinic, '09:00', 5);
    await aVisit(clinic, '09:00', 7);
    const before = await call(clinic, 'GET', '');
    const preview = await call(clinic, 'POST', '/import/preview', {
      payload: holidays(),
      headers: { 'content-type': 'text/calendar' },
    });
    const { byDay, appointments, ...counts } = preview.body;
    expect([preview.status, byDay, appointments]).toEqual([
      200,
      [{ date: inDays(5), affectedAppointments: 1 }],
      [
        {
          appointmentId: visit.appointmentId,
          patientId: visit.patientId,
          providerId: visit.providerId,
          appointmentTime: slotAt(clinic, 5, '09:00').toISOString().replace('.000Z', 'Z'),
          durationMinutes: 30,
          rule: 'provider_closed',
        },
      ],
    ]);
    expect((await call(clinic, 'GET', '')).text).toBe(before.text);
    expect((await send(clinic, holidays())).body).toEqual(counts);
    const again = await call(clinic, 'POST', '/import/preview', {
      payload: holidays(),
      headers: { 'content-type': 'text/calendar' },
    });
    expect(again.body).toMatchObject({ imported: 0, unchanged: 5, affectedAppointments: 0, byDay: [] });
    const audited = await database.owner.db
      .selectFrom('audit_event')
      .select('detail')
      .where('clinic_id', '=', clinic.clinicId)
      .where('action', '=', 'read')
      .orderBy('audit_id')
      .execute();
    expect(audited.map(({ detail }) => detail)).toEqual([
      { what: 'schedule_preview', count: 1 },
      { what: 'schedule_preview', count: 0 },
    ]);
  });

  it('is done once under a key', async () => {
    const clinic = await aClinic(database.owner);
    const headers = { 'idempotency-key': randomUUID() };
    const first = await send(clinic, holidays(), headers);
    const again = await send(clinic, holidays(), headers);
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
    expect((await send(clinic, file(), headers)).body['code']).toBe('idempotency_mismatch');
  });

  it('takes calendar files only, and no other route takes one', async () => {
    const clinic = await aClinic(database.owner);
    const refused = async (payload: string, type: string) =>
      (await send(clinic, payload, { 'content-type': type })).body;
    expect(await refused('hello', 'text/calendar')).toMatchObject({ code: 'calendar_invalid', status: 422 });
    expect(await refused('', 'text/calendar')).toMatchObject({ code: 'calendar_invalid', status: 422 });
    expect(await refused('{}', 'application/json')).toMatchObject({ code: 'unsupported_media_type', status: 415 });
    expect(await refused(holidays(), 'text/plain')).toMatchObject({ code: 'unsupported_media_type' });
    expect(await refused(`${holidays()}${' '.repeat(512 * 1_024)}`, 'text/calendar')).toMatchObject({
      code: 'body_too_large',
      status: 413,
    });
    const elsewhere = await call(clinic, 'POST', '', {
      payload: holidays(),
      headers: { 'content-type': 'text/calendar' },
    });
    expect(elsewhere.status).toBe(415);
  });

  it('opens the clinic again where an event of the file closes it no more', async () => {
    const clinic = await aClinic(database.owner);
    const allDay = (...more: string[]) => ['UID:open-day', `DTSTART;VALUE=DATE:${compact(inDays(5))}`, ...more];
    for (const [changed, reason] of [
      [allDay('STATUS:CANCELLED'), 'cancelled'],
      [['UID:open-day', `DTSTART:${compact(inDays(5))}T090000Z`], 'not_all_day'],
      [['UID:open-day', `DTSTART;VALUE=DATE:${compact(inDays(-5))}`], 'over'],
    ] as const) {
      expect((await send(clinic, file(allDay()))).body).toMatchObject({ imported: 1 });
      expect((await send(clinic, file([...changed]))).body).toMatchObject({
        imported: 0,
        removed: 1,
        skipped: [{ uid: 'open-day', reason }],
      });
      expect((await call(clinic, 'GET', '')).body['closures']).toEqual([]);
    }
    await send(clinic, file(allDay()));
    // Of two events with one UID the first counts.
    expect((await send(clinic, file(allDay(), allDay('STATUS:CANCELLED')))).body).toMatchObject({ removed: 0 });
  });

  it('is read as UTF-8, with a byte order mark or without, and as nothing else', async () => {
    const clinic = await aClinic(database.owner);
    const holiday = file(['UID:one', 'SUMMARY:Fête 🎆', `DTSTART;VALUE=DATE:${compact(inDays(5))}`]);
    expect((await send(clinic, `\ufeff${holiday}`)).body).toMatchObject({ imported: 1 });
    expect((await send(clinic, holiday)).body).toMatchObject({ unchanged: 1 });
    expect((await call(clinic, 'GET', '')).body['closures']).toMatchObject([{ name: 'Fête 🎆' }]);
    const latin1 = Buffer.from(holiday, 'latin1');
    const refused = async (headers: Readonly<Record<string, string>>) =>
      (await send(clinic, latin1, headers)).body['code'];
    expect(await refused({})).toBe('calendar_invalid');
    expect(await refused({ 'content-type': 'text/calendar' })).toBe('calendar_invalid');
    expect(await refused({ 'content-type': 'text/calendar; charset=iso-8859-1' })).toBe('unsupported_media_type');
    expect(await refused({ 'content-encoding': 'gzip' })).toBe('unsupported_media_type');
  });

  it('leaves out an event whose UID nobody can keep', async () => {
    const clinic = await aClinic(database.owner);
    const named = (uid: string) => [`UID:${uid}`, 'SUMMARY:x\u0000y', `DTSTART;VALUE=DATE:${compact(inDays(5))}`];
    expect(
      (await send(clinic, file(named('a\u0000b'), named('x'.repeat(256)), named('x'.repeat(255))))).body,
    ).toMatchObject({ imported: 1, skipped: [{ reason: 'not_understood' }, { reason: 'not_understood' }] });
  });

  it('is not held up by rules that never end', async () => {
    const clinic = await aClinic(database.owner);
    const bomb = (rule: string) => ['UID:bomb', 'SUMMARY:x', 'DTSTART;VALUE=DATE:20270101', `RRULE:${rule}`];
    for (const rule of ['FREQ=SECONDLY', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30']) {
      expect((await send(clinic, file(bomb(rule)))).body).toMatchObject({
        imported: 0,
        skipped: [{ uid: 'bomb', reason: 'recurrence_not_supported' }],
      });
    }
  });

  it('is for administrators of the clinic', async () => {
    const clinic = await aClinic(database.owner);
    const provider = await asProvider(clinic.clinicId, await aProvider(database.owner, clinic));
    expect((await send(clinic, holidays(), provider)).status).toBe(403);
    const foreign = await asAdmin((await aClinic(database.owner)).clinicId);
    expect((await send(clinic, holidays(), foreign)).status).toBe(404);
  });
});

describe('the calendar file of an appointment', () => {
  const fileOf = async (appointmentId: string, headers: { authorization: string }) =>
    api.app.inject({ url: `/api/v1/appointments/${appointmentId}/calendar`, headers });

  it('is an event that a newer file replaces, and says nothing of why the patient comes', async () => {
    const clinic = await aClinic(database.owner, { name: 'Riverside, Main St; 2nd floor' });
    const visit = await aVisit(clinic, '09:00', 5);
    const patient = await asPatient(visit.patientId);
    const file = await fileOf(visit.appointmentId, patient);
    expect(file.statusCode).toBe(200);
    expect(file.headers).toMatchObject({
      'content-type': 'text/calendar; charset=utf-8',
      'content-disposition': 'attachment; filename="appointment.ics"',
      'cache-control': 'no-store',
      etag: '"1"',
    });
    const start = slotAt(clinic, 5, '09:00');
    const stamp = (instant: Date) => `${instant.toISOString().replace(/[-:]|\.\d+Z/g, '')}Z`;
    const lines = file.body.split('\r\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        `UID:${visit.appointmentId}`,
        'SEQUENCE:0',
        `DTSTART:${stamp(start)}`,
        `DTEND:${stamp(new Date(start.getTime() + 30 * 60_000))}`,
        'SUMMARY:Appointment',
        'LOCATION:Riverside\\, Main St\\; 2nd floor',
        'STATUS:CONFIRMED',
      ]),
    );
    expect(file.body).not.toContain('General practice');

    await api.app.inject({ method: 'DELETE', url: `/api/v1/appointments/${visit.appointmentId}`, headers: patient });
    const cancelled = (await fileOf(visit.appointmentId, patient)).body.split('\r\n');
    expect(cancelled).toEqual(expect.arrayContaining([`UID:${visit.appointmentId}`, 'SEQUENCE:1', 'STATUS:CANCELLED']));
  });

  it('is for whoever may read the appointment; reads by staff are audited', async () => {
    const clinic = await aClinic(database.owner);
    const visit = await aVisit(clinic, '09:00', 5);
    const statusFor = async (headers: { authorization: string }, id = visit.appointmentId) =>
      (await fileOf(id, headers)).statusCode;
    expect(await statusFor(await asAdmin(clinic.clinicId))).toBe(200);
    expect(await statusFor(await asProvider(clinic.clinicId, visit.providerId))).toBe(200);
    expect(await statusFor(await asPatient(await aPatient(database.owner, clinic)))).toBe(404);
    expect(await statusFor(await asAdmin((await aClinic(database.owner)).clinicId))).toBe(404);
    expect(await statusFor(await asAdmin(clinic.clinicId), randomUUID())).toBe(404);
    const audited = await database.owner.db
      .selectFrom('audit_event')
      .select(['actor_kind', 'detail'])
      .where('entity_id', '=', visit.appointmentId)
      .where('action', '=', 'read')
      .execute();
    expect(audited).toEqual([
      { actor_kind: 'staff', detail: { what: 'calendar' } },
      { actor_kind: 'staff', detail: { what: 'calendar' } },
    ]);
  });
});
