import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import { inContext } from '../../../src/db/connection.ts';
import { notificationId } from '../../../src/domain/notification.ts';
import { markFailed } from '../../../src/notifications/ledger/attempts.ts';
import { claimToSend } from '../../../src/notifications/ledger/claim.ts';
import { planNotification } from '../../../src/notifications/ledger/rows.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aToken, SCOPES } from '../../support/tokens.ts';
import { asAdmin, asPatient, asSupport, startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;
let otherClinic: Clinic;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
  clinic = await aClinic(database.owner);
  otherClinic = await aClinic(database.owner);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

interface Answer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly body: Body & { readonly code?: string };
}
/** `Body` is what the caller expects to find in the answer. */
async function call<Body = object>(options: InjectOptions): Promise<Answer<Body>> {
  const response = await api.app.inject(options);
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    body: (response.body === '' ? {} : response.json<unknown>()) as Answer<Body>['body'],
  };
}

async function aVisit(at: Clinic = clinic) {
  const providerId = await aProvider(database.owner, at);
  const patientId = await aPatient(database.owner, at);
  const visitAt = slotAt(at, 5, '10:00');
  const booked = await call<{ appointmentId: string }>({
    method: 'POST',
    url: '/api/v1/appointments',
    payload: { patientId, providerId, appointmentTime: visitAt.toISOString(), durationMinutes: 30 },
    headers: await asPatient(patientId),
  });
  return { providerId, patientId, visitAt, appointmentId: booked.body.appointmentId };
}

/** Somebody who works for two clinics, with a token of one of them and one key for everything. */
const atBothClinics = async (at: Clinic) => ({
  authorization: `Bearer ${await aToken({ sub: 'admin-of-both', role: 'clinic_admin', scope: SCOPES.clinicAdmin, clinic_id: at.clinicId })}`,
  'idempotency-key': 'of-both',
});

/** A confirmation that the provider refused. */
async function aFailedNotification(
  at: Clinic = clinic,
  phone?: string,
): Promise<{ notificationId: string; appointmentId: string }> {
  const visit = await aVisit(at);
  if (phone !== undefined) {
    await sql`update patient set phone = ${phone} where patient_id = ${visit.patientId}`.execute(database.owner.db);
  }
  const id = notificationId({ appointmentId: visit.appointmentId, kind: 'confirmation', version: 1, channel: 'sms' });
  await inContext(database.app.db, { clinicId: at.clinicId }, async (tx) => {
    await planNotification(tx, {
      notificationId: id,
      clinicId: at.clinicId,
      appointmentId: visit.appointmentId,
      patientId: visit.patientId,
      kind: 'confirmation',
      channel: 'sms',
      plannedFor: visit.visitAt,
      appointmentVersion: 1,
      dueAt: new Date(),
    });
    await claimToSend(tx, { notificationId: id, now: new Date(), leaseMs: 10_000 });
    await markFailed(tx, { notificationId: id, attempt: 1, reason: 'twilio_30003' });
  });
  return { notificationId: id, appointmentId: visit.appointmentId };
}

describe('providers', () => {
  it('are listed by clinic, in pages, and read one by one', async () => {
    const own = await aClinic(database.owner, { timeZone: 'Asia/Kolkata' });
    const ids = [
      await aProvider(database.owner, own),
      await aProvider(database.owner, own, { specialty: 'Cardiology' }),
    ];
    const patient = await asPatient(await aPatient(database.owner));
    const url = `/api/v1/providers?clinicId=${own.clinicId}`;
    const all = await call<{ providers: { providerId: string }[] }>({ url, headers: patient });
    expect(all.body.providers.map(({ providerId }) => providerId)).toEqual(ids);
    const page = await call<{ providers: object[]; nextCursor: string }>({ url: `${url}&limit=1`, headers: patient });
    const next = await call<{ providers: { providerId: string }[]; nextCursor?: string }>({
      url: `${url}&limit=1&cursor=${page.body.nextCursor}`,
      headers: patient,
    });
    expect(next.body).toEqual({ providers: [expect.objectContaining({ providerId: ids[1] })] });
    for (const specialty of ['Cardiology', 'cardiology', 'CARDIOLOGY']) {
      expect((await call({ url: `${url}&specialty=${specialty}`, headers: patient })).body).toEqual({
        providers: [expect.objectContaining({ providerId: ids[1], specialty: 'Cardiology' })],
      });
    }
    const one = await call({ url: `/api/v1/providers/${String(ids[1])}`, headers: patient });
    expect(one.body).toEqual({
      providerId: ids[1],
      clinicId: own.clinicId,
      name: 'Dr. Ada Example',
      specialty: 'Cardiology',
      timeZone: 'Asia/Kolkata',
    });
    expect((await call({ url: `/api/v1/providers/${randomUUID()}`, headers: patient })).status).toBe(404);
  });

  it('are, for a patient who names no clinic, those where the patient is registered', async () => {
    const providerId = await aProvider(database.owner, otherClinic);
    const registered = await asPatient(await aPatient(database.owner, otherClinic));
    const list = await call<{ providers: { providerId: string; clinicId: string }[] }>({
      url: '/api/v1/providers?limit=100',
      headers: registered,
    });
    expect(list.body.providers.map((each) => each.providerId)).toContain(providerId);
    expect(new Set(list.body.providers.map((each) => each.clinicId))).toEqual(new Set([otherClinic.clinicId]));
  });
});

describe('the waitlist', () => {
  const wish = (patientId: string, more: object) => ({
    patientId,
    durationMinutes: 30,
    earliestDate: slotAt(clinic, 1, '12:00').toISOString().slice(0, 10),
    latestDate: slotAt(clinic, 30, '12:00').toISOString().slice(0, 10),
    ...more,
  });
  const join = async (headers: { authorization: string }, payload: object) =>
    call<{ entryId: string; status: string }>({ method: 'POST', url: '/api/v1/waitlist-entries', payload, headers });

  it('is joined once however often the request is sent under one key', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner);
    const headers = { ...(await asPatient(patientId)), 'idempotency-key': 'to wait once' };
    const joined = await join(headers, wish(patientId, { providerId }));
    const again = await join(headers, wish(patientId, { providerId }));
    expect([joined.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(joined.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
    const other = await join(headers, wish(patientId, { providerId, durationMinutes: 45 }));
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
  });

  it('of one clinic is not taken for that of another under one key', async () => {
    for (const at of [clinic, otherClinic]) await aProvider(database.owner, at, { specialty: 'Urology' });
    const patientId = await aPatient(database.owner, clinic);
    await database.owner.db
      .insertInto('registration')
      .values({ clinic_id: otherClinic.clinicId, patient_id: patientId })
      .execute();
    const payload = wish(patientId, { specialty: 'Urology' });
    expect(await join(await atBothClinics(clinic), payload)).toMatchObject({ status: 201 });
    expect(await join(await atBothClinics(otherClinic), payload)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_mismatch' },
    });
  });

  it('is joined once, listed, and left as often as one likes', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner);
    const headers = await asPatient(patientId);
    const joined = await join(headers, wish(patientId, { providerId }));
    expect(joined).toMatchObject({ status: 201, body: { status: 'WAITING', clinicId: clinic.clinicId, priority: 0 } });
    const url = String(joined.headers['location']);
    expect((await call({ url, headers })).body).toEqual(joined.body);
    expect(await join(headers, wish(patientId, { providerId }))).toMatchObject({
      status: 409,
      body: { code: 'already_waiting' },
    });
    const mine = await call<{ waitlistEntries: object[] }>({ url: '/api/v1/waitlist-entries', headers });
    expect(mine.body.waitlistEntries).toEqual([joined.body]);
    for (let times = 0; times < 2; times += 1)
      expect((await call({ method: 'DELETE', url, headers })).status).toBe(204);
    expect((await call({ url, headers })).body).toMatchObject({ status: 'LEFT' });
  });

  it('is joined for a specialty at a clinic that is named', async () => {
    const patientId = await aPatient(database.owner);
    await aProvider(database.owner, clinic, { specialty: 'Dermatology' });
    const headers = await asPatient(patientId);
    expect(await join(headers, wish(patientId, { specialty: 'Dermatology', clinicId: clinic.clinicId }))).toMatchObject(
      {
        status: 201,
        body: { specialty: 'Dermatology', providerId: null },
      },
    );
    expect(await join(headers, wish(patientId, { specialty: 'dermatology', clinicId: clinic.clinicId }))).toMatchObject(
      { status: 409, body: { code: 'already_waiting' } },
    );
    expect((await join(headers, wish(patientId, { specialty: 'Astrology', clinicId: clinic.clinicId }))).status).toBe(
      404,
    );
    expect((await join(headers, wish(patientId, { specialty: 'Dermatology' }))).status).toBe(400);
  });

  it('knows urgency from staff alone', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner, clinic);
    const urgent = wish(patientId, { providerId, priority: 9 });
    expect((await join(await asPatient(patientId), urgent)).status).toBe(403);
    expect(await join(await asAdmin(clinic.clinicId), urgent)).toMatchObject({ status: 201, body: { priority: 9 } });
  });

  it('of somebody else does not exist', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner);
    const joined = await join(await asPatient(patientId), wish(patientId, { providerId }));
    const url = String(joined.headers['location']);
    for (const headers of [
      await asPatient(await aPatient(database.owner, clinic)),
      await asAdmin(otherClinic.clinicId),
    ]) {
      expect((await call({ url, headers })).status).toBe(404);
      expect((await call({ method: 'DELETE', url, headers })).status).toBe(404);
    }
    expect((await join(await asPatient(await aPatient(database.owner)), wish(patientId, { providerId }))).status).toBe(
      404,
    );
  });
});

describe('failed notifications', () => {
  it('are listed with their attempts, and seen by support at the clinic they name', async () => {
    const { notificationId: id, appointmentId } = await aFailedNotification();
    const url = `/api/v1/notifications?state=FAILED&appointmentId=${appointmentId}`;
    const list = await call<{ notifications: object[] }>({ url, headers: await asAdmin(clinic.clinicId) });
    expect(list.body.notifications).toEqual([
      expect.objectContaining({ notificationId: id, state: 'FAILED', reason: 'twilio_30003', attempt: 1 }),
    ]);
    expect((await call({ url, headers: await asSupport() })).status).toBe(400);
    const support = await call<{ notifications: object[] }>({
      url: `${url}&clinicId=${clinic.clinicId}`,
      headers: await asSupport(),
    });
    expect(support.body.notifications).toHaveLength(1);
    const elsewhere = await call<{ notifications: object[] }>({ url, headers: await asAdmin(otherClinic.clinicId) });
    expect(elsewhere.body.notifications).toEqual([]);
    const detail = await call({ url: `/api/v1/notifications/${id}`, headers: await asSupport() });
    expect(detail.body).toMatchObject({ attempts: [{ attempt: 1, outcome: 'FAILED', errorCode: 'twilio_30003' }] });
    expect(
      (await call({ url: `/api/v1/notifications/${id}`, headers: await asAdmin(otherClinic.clinicId) })).status,
    ).toBe(404);
    expect((await call({ url: '/api/v1/notifications', headers: await asPatient(randomUUID()) })).status).toBe(403);
  });

  it('are found from the patient’s phone number, with how many failed for which reason, page by page', async () => {
    const phone = '+4930901820';
    const own = await aClinic(database.owner);
    const headers = await asAdmin(own.clinicId);
    const failed = [await aFailedNotification(own, phone), await aFailedNotification(own, phone)];
    await aFailedNotification(own, '+4930901821');
    const search = (body: object) =>
      call<{ notifications: { notificationId: string }[]; nextCursor?: string; reasons: object[] }>({
        method: 'POST',
        url: '/api/v1/notifications/search',
        payload: body,
        headers,
      });

    const first = await search({ phone, limit: 1 });
    const second = await search({ phone, limit: 1, cursor: first.body.nextCursor });
    expect(
      [...first.body.notifications, ...second.body.notifications].map((each) => each.notificationId).sort(),
    ).toEqual(failed.map((each) => each.notificationId).sort());
    expect(second.body.nextCursor).toBeUndefined();
    expect(first.body.reasons).toEqual([{ state: 'FAILED', reason: 'twilio_30003', count: 2 }]);
    expect((await search({})).body.notifications).toHaveLength(3);
    expect((await search({ phone, channel: 'email' })).body.notifications).toEqual([]);
    expect((await search({ phone, reason: 'twilio_21610' })).body.notifications).toEqual([]);
    expect((await search({ phone, to: '2020-01-01T00:00:00Z' })).body.notifications).toEqual([]);
  });

  it('are replayed one by one and many at once; the outbox tells the relay in the same transaction', async () => {
    const failed = [await aFailedNotification(), await aFailedNotification()];
    const headers = { ...(await asAdmin(clinic.clinicId)), 'x-request-id': '01980000-0000-7000-8000-000000000010' };
    const one = await call<{ replayId: string }>({
      method: 'POST',
      url: `/api/v1/notifications/${String(failed[0]?.notificationId)}/replay`,
      headers,
    });
    expect(one.status).toBe(202);
    const many = await call<{ replayId: string }>({
      method: 'POST',
      url: '/api/v1/notification-replays',
      payload: {
        notificationIds: failed.map((each) => each.notificationId.toUpperCase()),
        reason: 'the provider was down',
      },
      headers: await asSupport(),
    });
    expect(many.status).toBe(202);
    expect(many.headers['location']).toBe(`/api/v1/notification-replays/${many.body.replayId}`);
    const replay = await call({ url: String(many.headers['location']), headers });
    expect(replay.body).toMatchObject({
      state: 'RUNNING',
      requestedBy: 'support-1',
      reason: 'the provider was down',
      counts: { pending: 2, queued: 0, notDue: 0, notFailed: 0 },
    });
    const told = await database.owner.db
      .selectFrom('outbox')
      .select(['event', 'request_id'])
      .where('aggregate', '=', 'replay')
      .where('aggregate_id', '=', one.body.replayId)
      .execute();
    expect(told).toEqual([{ event: 'requested', request_id: '01980000-0000-7000-8000-000000000010' }]);
    expect(
      (await call({ url: String(many.headers['location']), headers: await asAdmin(otherClinic.clinicId) })).status,
    ).toBe(404);
  });

  it('can be kept from being replayed for a while, or for good; what became of each is what the ledger says by then', async () => {
    const failed = [await aFailedNotification(), await aFailedNotification(), await aFailedNotification()];
    const headers = await asAdmin(clinic.clinicId);
    const payload = { notificationIds: failed.map((each) => each.notificationId), reason: 'x' };
    const { body: begun } = await call<{ replayId: string }>({
      method: 'POST',
      url: '/api/v1/notification-replays',
      payload,
      headers,
    });
    const url = `/api/v1/notification-replays/${begun.replayId}`;
    const say = (verb: string) => call({ method: 'POST', url: `${url}/${verb}`, headers });
    const events = async () =>
      (
        await database.owner.db
          .selectFrom('outbox')
          .select('event')
          .where('aggregate_id', '=', begun.replayId)
          .orderBy('outbox_id')
          .execute()
      ).map((row) => row.event);

    expect(await say('pause')).toMatchObject({ status: 200, body: { state: 'PAUSED', finishedAt: null } });
    expect(await say('pause')).toMatchObject({ status: 200, body: { state: 'PAUSED' } });
    expect(await say('resume')).toMatchObject({ status: 200, body: { state: 'RUNNING' } });
    expect(await events()).toEqual(['requested', 'paused', 'resumed']);

    // Two were queued again: one failed again, one arrived.
    const states = ['FAILED', 'DELIVERED'] as const;
    for (const [index, state] of states.entries()) {
      const notificationId = failed[index]?.notificationId ?? '';
      await sql`update replay_item set state = 'QUEUED' where replay_id = ${begun.replayId} and notification_id = ${notificationId}`.execute(
        database.owner.db,
      );
      await sql`update notification set state = ${state} where notification_id = ${notificationId}`.execute(
        database.owner.db,
      );
    }
    const stopped = await say('stop');
    expect(stopped).toMatchObject({
      status: 200,
      body: { state: 'STOPPED', counts: { pending: 1, queued: 0, failed: 1, delivered: 1 } },
    });
    expect((stopped.body as unknown as { finishedAt: string | null }).finishedAt).not.toBeNull();
    expect(await say('stop')).toMatchObject({ status: 200, body: { state: 'STOPPED' } });
    expect(await say('resume')).toMatchObject({ status: 409, body: { code: 'replay_ended' } });
    expect(await events()).toEqual(['requested', 'paused', 'resumed', 'stopped']);
  });

  it('are replayed once under one Idempotency-Key', async () => {
    const { notificationId: id } = await aFailedNotification();
    const headers = { ...(await asAdmin(clinic.clinicId)), 'idempotency-key': randomUUID() };
    const replay = (reason: string) =>
      call<{ replayId: string }>({
        method: 'POST',
        url: `/api/v1/notifications/${id}/replay`,
        payload: { reason },
        headers,
      });
    const first = await replay('down');
    const again = await replay('down');
    expect(again.body.replayId).toBe(first.body.replayId);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await replay('other')).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
    const race = { ...headers, 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        call<{ replayId: string }>({ method: 'POST', url: `/api/v1/notifications/${id}/replay`, headers: race }),
      ),
    );
    const ids = answers.flatMap(({ status, body }) => (status === 202 ? [body.replayId] : []));
    expect(new Set(ids).size).toBe(1);
    for (const { status, body } of answers) if (status !== 202) expect(body.code).toBe('idempotency_in_progress');
  });

  it('of one clinic are not replayed for another under one key', async () => {
    const { notificationId: id } = await aFailedNotification();
    const replay = async (at: Clinic) =>
      call({
        method: 'POST',
        url: '/api/v1/notification-replays',
        payload: { notificationIds: [id], reason: 'x' },
        headers: await atBothClinics(at),
      });
    expect(await replay(clinic)).toMatchObject({ status: 202 });
    expect(await replay(otherClinic)).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
  });

  it('of another clinic, and such that have not failed, are refused', async () => {
    const foreign = await aFailedNotification(otherClinic);
    const own = await aFailedNotification();
    const headers = await asAdmin(clinic.clinicId);
    const replay = (notificationIds: string[]) =>
      call({ method: 'POST', url: '/api/v1/notification-replays', payload: { notificationIds, reason: 'x' }, headers });
    expect((await replay([own.notificationId, foreign.notificationId])).status).toBe(404);
    expect(
      (await call({ method: 'POST', url: `/api/v1/notifications/${foreign.notificationId}/replay`, headers })).status,
    ).toBe(404);
    await database.owner.db
      .updateTable('notification')
      .set({ state: 'DELIVERED' })
      .where('notification_id', '=', own.notificationId)
      .execute();
    expect(await replay([own.notificationId])).toMatchObject({
      status: 422,
      body: { code: 'notification_not_failed' },
    });
  });
});

describe('EHR syncs', () => {
  it('are asked for by the clinic that has an EHR, and told as runs', async () => {
    const headers = await asAdmin(clinic.clinicId);
    expect(await call({ method: 'POST', url: '/api/v1/ehr-syncs', headers })).toMatchObject({
      status: 422,
      body: { code: 'ehr_not_configured' },
    });
    await database.owner.db
      .insertInto('ehr_connection')
      .values({ clinic_id: clinic.clinicId, base_url: 'https://ehr.test/fhir' })
      .execute();
    const started = await call<{ runId: string }>({ method: 'POST', url: '/api/v1/ehr-syncs', headers });
    expect(started.status).toBe(202);
    const run = { runId: started.body.runId, state: 'RUNNING', trigger: 'on_demand' };
    expect((await call({ url: String(started.headers['location']), headers })).body).toMatchObject({
      ...run,
      items: [],
    });
    const runs = await call<{ ehrSyncs: object[] }>({ url: '/api/v1/ehr-syncs', headers });
    expect(runs.body.ehrSyncs).toEqual([expect.objectContaining(run)]);
    const elsewhere = await asAdmin(otherClinic.clinicId);
    expect((await call({ url: String(started.headers['location']), headers: elsewhere })).status).toBe(404);
    expect(
      (
        await call({
          method: 'POST',
          url: '/api/v1/ehr-syncs',
          payload: { clinicId: clinic.clinicId },
          headers: elsewhere,
        })
      ).status,
    ).toBe(404);
  });
});

describe('callbacks', () => {
  const report = (id: string, signature = 'good') =>
    call({
      method: 'POST',
      url: `/api/v1/callbacks/twilio/status/${id}`,
      payload: 'MessageSid=SM01&MessageStatus=delivered',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    });
  const stateOf = async (id: string) =>
    (
      await database.owner.db
        .selectFrom('notification')
        .select('state')
        .where('notification_id', '=', id)
        .executeTakeFirstOrThrow()
    ).state;

  it('settle the message in the ledger of its clinic, however often they come', async () => {
    const { notificationId: id } = await aFailedNotification();
    await database.owner.db
      .updateTable('delivery_attempt')
      .set({ outcome: 'UNKNOWN' })
      .where('notification_id', '=', id)
      .execute();
    await database.owner.db
      .updateTable('notification')
      .set({ state: 'UNKNOWN' })
      .where('notification_id', '=', id)
      .execute();
    expect((await report(id, 'forged')).status).toBe(403);
    expect(await stateOf(id)).toBe('UNKNOWN');
    for (let times = 0; times < 3; times += 1) expect((await report(id)).status).toBe(204);
    expect(await stateOf(id)).toBe('DELIVERED');
  });

  it('about a message that we do not know are answered as the others', async () => {
    const unknown = await report(randomUUID());
    expect({ status: unknown.status, text: unknown.text }).toEqual({ status: 204, text: '' });
  });
});

describe('readiness', () => {
  it('asks the real database, its migrations and Redis', async () => {
    expect((await call({ url: '/readyz' })).body).toEqual({
      status: 'ready',
      checks: { database: 'ok', migrations: 'ok', draining: false },
      reported: { redis: 'ok' },
    });
  });
});
