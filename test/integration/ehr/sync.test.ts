import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, inContext } from '../../../src/db/connection.ts';
import { createClinicWriters, queryAhead } from '../../../src/db/ehr.ts';
import { requestSync } from '../../../src/scheduling/ehr-sync.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import {
  checkIn,
  completeAppointment,
  markNoShow,
  undoCheckIn,
  undoCompletion,
  undoNoShow,
} from '../../../src/scheduling/visits/attend.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { slotAt } from '../../support/builders.ts';
import { manyVisits } from '../../support/many-visits.ts';
import { eventually } from '../../support/eventually.ts';
import { testServers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { anEhrClinic, startEhrServer, type EhrClinic, type EhrServer } from './ehr-clinic.ts';

let db: TestDatabase;
let server: EhrServer;

beforeAll(async () => {
  [db, server] = await Promise.all([createTestDatabase(), startEhrServer()]);
});

afterEach(() => {
  server.sandbox.control.faults.clear();
});

afterAll(async () => {
  await Promise.all([db.drop(), server.sandbox.close()]);
});

const fault = (given: Parameters<typeof server.sandbox.control.faults.add>[0]) =>
  server.sandbox.control.faults.add(given);
const base = (there: EhrClinic) => `/ehr/${there.slug}/fhir`;

describe('telling an EHR of a clinic’s appointments', () => {
  it('creates each once, and finds nothing to tell the second time', async () => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(3);

    expect(await there.sync()).toEqual({ created: 3, updated: 0, unchanged: 0, parked: 0 });
    for (const id of ids) {
      expect(there.theOneInEhr(id)).toMatchObject({ status: 'booked', minutesDuration: 30, meta: { versionId: '1' } });
      expect(await there.link(id)).toMatchObject({
        state: 'IN_EHR',
        synced_version: 1,
        ehr_version: '1',
        reason: null,
      });
    }

    expect(await there.sync()).toEqual({ created: 0, updated: 0, unchanged: 0, parked: 0 });
    for (const id of ids) expect(there.theOneInEhr(id).meta.versionId).toBe('1');
    expect(await there.runs()).toMatchObject([
      { trigger: 'nightly', state: 'FINISHED', created: 3, reason: null },
      { trigger: 'nightly', state: 'FINISHED', created: 0, reason: null },
    ]);
  });

  it('records on the run what became of each appointment', async () => {
    const there = await anEhrClinic(db, server);
    const [first, second] = await there.bookMany(2);
    await there.sync();
    const [run] = await there.runs();
    expect(await there.items(run?.run_id ?? '')).toMatchObject([
      { appointment_id: first, appointment_version: 1, outcome: 'CREATED', ehr_id: there.theOneInEhr(first ?? '').id },
      { appointment_id: second, appointment_version: 1, outcome: 'CREATED' },
    ]);
  });

  it('changes what was moved, and only the version it knows', async () => {
    const there = await anEhrClinic(db, server);
    const id = await there.book(3, '09:00');
    await there.sync();
    const appointmentTime = slotAt(there.clinic, 4, '11:30');
    await moveAppointment(there.deps, there.act(), { appointmentId: id, expectedVersion: 1, appointmentTime });

    expect(await there.sync()).toMatchObject({ created: 0, updated: 1 });
    const resource = there.theOneInEhr(id);
    expect(resource.start).toBe(appointmentTime.toISOString());
    expect(resource.meta.versionId).toBe('2');
    expect(await there.link(id)).toMatchObject({ synced_version: 2, ehr_version: '2' });
  });

  it.each([409, 412] as const)(
    'keeps what the clinic’s staff added meanwhile (a stale version is answered with %i)',
    async (staleStatus) => {
      const there = await anEhrClinic(db, server);
      server.sandbox.control.ehr.configure(there.slug, { staleStatus });
      const id = await there.book(3, '09:00');
      await there.sync();
      there.editInEhr(id, { comment: 'needs an interpreter' });
      const appointmentTime = slotAt(there.clinic, 4, '10:00');
      await moveAppointment(there.deps, there.act(), { appointmentId: id, expectedVersion: 1, appointmentTime });

      expect(await there.sync()).toMatchObject({ updated: 1, parked: 0 });
      expect(there.theOneInEhr(id)).toMatchObject({
        start: appointmentTime.toISOString(),
        comment: 'needs an interpreter',
      });
    },
  );

  it('parks what was changed on both sides and leaves the EHR’s side as it is', async () => {
    const there = await anEhrClinic(db, server);
    const id = await there.book(3, '09:00');
    await there.sync();
    there.editInEhr(id, { status: 'arrived' });
    await cancelAppointment(there.deps, there.act(), { appointmentId: id, reason: 'patient_request' });

    expect(await there.sync()).toMatchObject({ updated: 0, parked: 1 });
    expect(there.theOneInEhr(id).status).toBe('arrived');
    expect(await there.link(id)).toMatchObject({ state: 'REFUSED', reason: 'changed_in_ehr', synced_version: 1 });
  });

  it('tells a cancellation with its coded reason', async () => {
    const there = await anEhrClinic(db, server);
    const id = await there.book(3, '09:00');
    await there.sync();
    await cancelAppointment(there.deps, there.act(), { appointmentId: id, reason: 'provider_unavailable' });
    expect(await there.sync()).toMatchObject({ updated: 1 });
    expect(there.theOneInEhr(id)).toMatchObject({
      status: 'cancelled',
      cancelationReason: { coding: [{ code: 'prov' }] },
    });
  });

  it('tells of a visit’s life: checked in, then completed, and of each correction', async () => {
    const there = await anEhrClinic(db, server);
    const id = await there.book(1, '09:00');
    const during = there.act(slotAt(there.clinic, 1, '09:00'));
    await checkIn(there.deps, during, { appointmentId: id });
    await there.sync();
    expect(there.theOneInEhr(id).status).toBe('checked-in');
    await completeAppointment(there.deps, during, { appointmentId: id });
    await there.sync();
    expect(there.theOneInEhr(id).status).toBe('fulfilled');
    for (const mistake of [undoCompletion, undoCheckIn]) await mistake(there.deps, during, { appointmentId: id });
    await markNoShow(there.deps, during, { appointmentId: id });
    await there.sync();
    expect(there.theOneInEhr(id).status).toBe('noshow');
    await completeAppointment(there.deps, during, { appointmentId: id });
    await there.sync();
    expect(there.theOneInEhr(id).status).toBe('fulfilled');
  });

  it('tells of a no-show; one that was undone before the EHR heard of it is no news', async () => {
    const there = await anEhrClinic(db, server);
    const [told, undone] = [await there.book(1, '09:00'), await there.book(1, '10:00')];
    await there.sync();
    const later = there.act(slotAt(there.clinic, 1, '11:00'));
    for (const appointmentId of [told, undone]) await markNoShow(there.deps, later, { appointmentId });
    await undoNoShow(there.deps, later, { appointmentId: undone });

    expect(await there.sync()).toEqual({ created: 0, updated: 1, unchanged: 1, parked: 0 });
    expect(there.theOneInEhr(told).status).toBe('noshow');
    expect(there.theOneInEhr(undone)).toMatchObject({ status: 'booked', meta: { versionId: '1' } });
    expect(await there.link(undone)).toMatchObject({ synced_version: 3 });
  });

  it('parks a no-show for a person where the EHR lets nobody write it, says so once, and tells it again when somebody acts', async () => {
    const there = await anEhrClinic(db, server, { capabilities: { noShowWritable: false } });
    server.sandbox.control.ehr.configure(there.slug, { refusedStatuses: ['noshow'] });
    const id = await there.book(1, '09:00');
    await there.sync();
    await markNoShow(there.deps, there.act(slotAt(there.clinic, 1, '10:00')), { appointmentId: id });
    expect(await there.sync()).toMatchObject({ parked: 1 });
    expect(there.theOneInEhr(id).status).toBe('booked');
    expect(await there.link(id)).toMatchObject({ state: 'REFUSED', reason: 'noshow_not_writable', synced_version: 1 });

    const quiet = await there.startRun();
    expect(await there.activities().syncAppointmentsPage({ ...quiet, after: null })).toEqual({
      after: null,
      counts: { created: 0, updated: 0, unchanged: 0, parked: 0 },
    });
    await there.activities().finishSyncRun(quiet);

    // Asked for by a person, it is tried again; and so it is when the visit changes.
    await requestSync(there.deps, there.act());
    expect(await there.sync()).toMatchObject({ parked: 1 });
    expect(await there.sync()).toMatchObject({ parked: 0 });
    await undoNoShow(there.deps, there.act(slotAt(there.clinic, 1, '10:00')), { appointmentId: id });
    expect(await there.sync()).toMatchObject({ unchanged: 1, parked: 0 });
    expect(await there.link(id)).toMatchObject({ state: 'IN_EHR', reason: null, synced_version: 3 });
  });

  it('is asked of an index, however long the clinic’s history is, and what the EHR holds is in no page', async () => {
    const there = await anEhrClinic(db, server);
    const { clinicId, patientId, providerId, clinic } = there;
    const history = { clinicId, patientIds: [patientId], providerIds: [providerId], timeZone: clinic.timeZone };
    await manyVisits(db.owner, { ...history, count: 3_000, fromDay: -400 });
    const id = await there.book(1, '09:00');
    const page = { clinicId, runId: randomUUID(), after: null, limit: 100 };
    const { rows, plan } = await inContext(db.app.db, { clinicId }, async (tx) => ({
      rows: await queryAhead(tx, page).execute(),
      plan: await queryAhead(tx, page).explain('json'),
    }));
    expect(rows.map((row) => row.appointment_id)).toEqual([id]);
    expect(JSON.stringify(plan)).toContain('"appointment_ahead_of_ehr"');
  });

  it('keeps to the clinic', async () => {
    const [here, elsewhere] = [await anEhrClinic(db, server), await anEhrClinic(db, server)];
    const id = await elsewhere.book(1, '09:00');
    expect(await here.sync()).toMatchObject({ created: 0 });
    expect(await elsewhere.link(id)).toBeUndefined();
    expect(await here.activities().listClinicsWithEhr()).toEqual(
      expect.arrayContaining([here.clinicId, elsewhere.clinicId]),
    );
  });
});

describe('an EHR that takes and does not answer', () => {
  it.each([
    ['accept-then-drop', 'atomic'],
    ['accept-then-drop', 'ignored'],
    ['drop', 'atomic'],
    ['drop', 'ignored'],
  ] as const)('gets no duplicate (%s, conditions on a create are %s)', async (kind, conditionalCreate) => {
    const there = await anEhrClinic(db, server);
    server.sandbox.control.ehr.configure(there.slug, { conditionalCreate });
    const ids = await there.bookMany(5);
    const run = await there.startRun();
    fault({ vendor: 'ehr', kind, match: { method: 'POST', path: base(there) }, times: 1 });

    await expect(there.finish(run)).rejects.toMatchObject({ type: 'ehr_unavailable', nonRetryable: false });
    for (const id of ids) {
      expect(await there.link(id)).toMatchObject({ state: 'UNKNOWN', synced_version: 0 });
      expect(there.inEhr(id)).toHaveLength(kind === 'drop' ? 0 : 1);
    }
    expect(await there.runs()).toMatchObject([{ state: 'RUNNING', reason: expect.any(String) }]);

    expect(await there.finish(run, { attempt: 2 })).toEqual({ created: 5, updated: 0, unchanged: 0, parked: 0 });
    for (const id of ids) expect(there.inEhr(id)).toHaveLength(1);
    expect(await there.runs()).toMatchObject([{ state: 'FINISHED', reason: null }]);
  });

  it('gets no duplicate either when one update is not answered, and the visit moves on before the next try', async () => {
    const there = await anEhrClinic(db, server);
    const id = await there.book(3, '09:00');
    await there.sync();
    const move = (expectedVersion: number, time: string) =>
      moveAppointment(there.deps, there.act(), {
        appointmentId: id,
        expectedVersion,
        appointmentTime: slotAt(there.clinic, 4, time),
      });
    await move(1, '10:00');
    const run = await there.startRun();
    fault({ vendor: 'ehr', kind: 'accept-then-drop', match: { method: 'PUT', path: base(there) }, times: 1 });
    await expect(there.finish(run)).rejects.toMatchObject({ type: 'ehr_unavailable' });
    await move(2, '11:00');

    expect(await there.finish(run, { attempt: 2 })).toMatchObject({ updated: 1, parked: 0 });
    expect(there.theOneInEhr(id).start).toBe(slotAt(there.clinic, 4, '11:00').toISOString());
  });

  it('is believed by entry: what timed out after the write inside a batch is found again', async () => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(3);
    const run = await there.startRun();
    const match = { entry: true, bodyIncludes: ids[1] ?? '' };
    fault({ vendor: 'ehr', kind: 'accept-then-hang', match, times: 1 });
    await expect(there.finish(run)).rejects.toMatchObject({ type: 'ehr_unavailable' });
    expect((await Promise.all(ids.map((id) => there.link(id)))).map((link) => link?.state)).toEqual([
      'IN_EHR',
      'UNKNOWN',
      'IN_EHR',
    ]);

    expect(await there.finish(run, { attempt: 2 })).toMatchObject({ created: 3 });
    for (const id of ids) expect(there.inEhr(id)).toHaveLength(1);
  });
});

describe('an EHR that refuses', () => {
  it('one entry of a batch parks that one and no other', async () => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(5);
    fault({
      vendor: 'ehr',
      kind: 'status',
      status: 422,
      code: 'business-rule',
      match: { entry: true, bodyIncludes: ids[2] ?? '' },
    });
    expect(await there.sync()).toEqual({ created: 4, updated: 0, unchanged: 0, parked: 1 });
    expect(await there.link(ids[2] ?? '')).toMatchObject({
      state: 'REFUSED',
      reason: 'http_422 business-rule',
      synced_version: 0,
    });
    server.sandbox.control.faults.clear();
    expect(await there.sync()).toMatchObject({ created: 0, parked: 0 });
    await requestSync(there.deps, there.act());
    expect(await there.sync()).toMatchObject({ created: 1, parked: 0 });
  });

  it.each([400, 422])('the whole batch with %i because of one entry parks that one and no other', async (status) => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(5);
    // Met by the batch, and by the one request that carries the same appointment alone.
    fault({
      vendor: 'ehr',
      kind: 'status',
      status,
      match: { path: base(there), bodyIncludes: ids[2] ?? '' },
      times: 2,
    });
    expect(await there.sync()).toEqual({ created: 4, updated: 0, unchanged: 0, parked: 1 });
    expect(there.inEhr(ids[2] ?? '')).toEqual([]);
  });

  it('for a while is left alone for as long as it asks', async () => {
    const there = await anEhrClinic(db, server);
    const [id] = await there.bookMany(2);
    const run = await there.startRun();
    fault({
      vendor: 'ehr',
      kind: 'status',
      status: 429,
      retryAfter: 7,
      match: { method: 'POST', path: base(there) },
      times: 1,
    });
    await expect(there.finish(run)).rejects.toMatchObject({
      type: 'ehr_unavailable',
      nonRetryable: false,
      nextRetryDelay: 7_000,
      details: [{ reason: 'http_429 throttled' }],
    });
    expect(await there.link(id ?? '')).toMatchObject({ state: 'PENDING', reason: 'http_429 throttled' });
    expect(await there.finish(run, { attempt: 2 })).toMatchObject({ created: 2 });
  });

  it('one entry for a while tells the others at once, and that one after the wait', async () => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(5);
    const run = await there.startRun();
    const entry = (index: number) => ({ entry: true, bodyIncludes: ids[index] ?? '' });
    fault({ vendor: 'ehr', kind: 'status', status: 422, match: entry(1) });
    fault({ vendor: 'ehr', kind: 'status', status: 429, retryAfter: 3, match: entry(3), times: 1 });
    await expect(there.finish(run)).rejects.toMatchObject({ type: 'ehr_unavailable', nextRetryDelay: 3_000 });
    expect((await there.items(run.runId)).map((item) => item.outcome)).toEqual([
      'CREATED',
      'PARKED',
      'CREATED',
      'CREATED',
    ]);

    expect(await there.finish(run, { attempt: 2 })).toEqual({ created: 4, updated: 0, unchanged: 0, parked: 1 });
    for (const id of ids) expect(there.inEhr(id)).toHaveLength(id === ids[1] ? 0 : 1);
  });

  it('one entry again and again parks it at last, so that the rest of the clinic goes on', async () => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(3);
    const run = await there.startRun();
    fault({
      vendor: 'ehr',
      kind: 'status',
      status: 500,
      match: { path: base(there), bodyIncludes: `${ids[0] ?? ''}"` },
    });
    // Each attempt is told what the one before was last heard of.
    let heartbeatDetails: unknown;
    const onHeartbeat = (details: unknown) => {
      heartbeatDetails = details;
    };
    // The EHR had been away for long: that counts against no entry.
    for (const attempt of [8, 9, 10, 11]) {
      await expect(there.finish(run, { attempt, heartbeatDetails, onHeartbeat })).rejects.toMatchObject({
        type: 'ehr_unavailable',
      });
    }
    expect(await there.finish(run, { attempt: 12, heartbeatDetails, onHeartbeat })).toEqual({
      created: 2,
      updated: 0,
      unchanged: 0,
      parked: 1,
    });
    expect(await there.link(ids[0] ?? '')).toMatchObject({ state: 'UNKNOWN', reason: 'http_500 exception' });
  });

  it('our key fails the run and every other that waits, and says why', async () => {
    const stranger = await startEhrServer();
    const there = await anEhrClinic(db, server, { credentials: stranger.credentials });
    await stranger.sandbox.close();
    await there.book(1, '09:00');
    const run = await there.startRun();
    const failed = await there.finish(run).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      type: 'ehr_refused',
      nonRetryable: true,
      details: [{ reason: expect.stringContaining('invalid_client') }],
    });
    await there.activities().finishSyncRun({ ...run, failure: 'ehr_refused' });
    expect(await there.runs()).toMatchObject([
      { state: 'FAILED', reason: 'ehr_refused', finished_at: expect.any(Date) },
    ]);
    expect(JSON.stringify(failed)).not.toContain(there.patientId);
  });
});

describe('an EHR that was started anew', () => {
  it('knows our token no more and gets another request for one', async () => {
    const restarted = await startEhrServer();
    try {
      const there = await anEhrClinic(db, restarted);
      await there.book(1, '09:00');
      await there.sync();
      restarted.sandbox.control.reset();
      restarted.sandbox.control.ehr.configure(there.slug, {});
      const id = await there.book(2, '09:00');
      expect(await there.sync()).toMatchObject({ created: 1 });
      expect(there.inEhr(id)).toHaveLength(1);
    } finally {
      await restarted.sandbox.close();
    }
  });
});

describe('a run that is cut off', () => {
  it.each([
    ['with what it was at', true],
    ['without a trace', false],
  ])('is taken up %s, and every appointment is told once', async (_name, keepsHeartbeat) => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(45);
    const run = await there.startRun();
    const killed = new AbortController();
    let heartbeatDetails: unknown;
    const cutOff = there.finish(run, {
      cancellationSignal: killed.signal,
      onHeartbeat(details) {
        heartbeatDetails = details;
        // After the first batch of three, while the second is on its way.
        if ((details as { after: string | null }).after === ids[19]) killed.abort(new Error('killed'));
      },
    });
    await expect(cutOff).rejects.toThrow('killed');
    expect(ids.filter((id) => there.inEhr(id).length === 1).length).toBeGreaterThanOrEqual(20);
    expect(await there.runs()).toMatchObject([{ state: 'RUNNING' }]);

    const resumed = await there.startRun();
    expect(resumed).toEqual(run);
    expect(await there.finish(resumed, keepsHeartbeat ? { attempt: 2, heartbeatDetails } : { attempt: 2 })).toEqual({
      created: 45,
      updated: 0,
      unchanged: 0,
      parked: 0,
    });
    for (const id of ids) expect(there.inEhr(id)).toHaveLength(1);
  });

  it('goes on over several pages', async () => {
    const there = await anEhrClinic(db, server);
    await there.bookMany(120);
    const run = await there.startRun();
    const first = await there.activities().syncAppointmentsPage({ ...run, after: null });
    expect(first).toMatchObject({ after: expect.any(String), counts: { created: 100 } });
    const second = await there.activities().syncAppointmentsPage({ ...run, after: first.after });
    expect(second).toMatchObject({ after: null, counts: { created: 120 } });
  });
});

describe('one writer at a time', () => {
  it('turns a second one away, in this process and in another, and lets it in afterwards', async () => {
    const there = await anEhrClinic(db, server);
    const elsewhere = await anEhrClinic(db, server);
    const id = await there.book(1, '09:00');
    const run = await there.startRun();
    const writers = createClinicWriters(db.app);
    await writers.alone(there.clinicId, async () => {
      const busy = { code: 'temporarily_unavailable' };
      await expect(there.finish(run)).rejects.toMatchObject(busy);
      await expect(writers.alone(there.clinicId, () => Promise.resolve('in'))).rejects.toMatchObject(busy);
      // Another clinic's EHR is another matter.
      await expect(writers.alone(elsewhere.clinicId, () => Promise.resolve('in'))).resolves.toBe('in');
    });
    expect(await there.finish(run)).toMatchObject({ created: 1 });
    expect(there.inEhr(id)).toHaveLength(1);
  });

  it('takes one connection for all of a process, and gives it back', async () => {
    const clinics = Array.from({ length: 20 }, () => randomUUID());
    const writers = createClinicWriters(db.app);
    const before = db.app.pool.totalCount - db.app.pool.idleCount;
    const waiting: (() => void)[] = [];
    const all = Promise.all(
      clinics.map((clinicId) => writers.alone(clinicId, () => new Promise<void>((resolve) => waiting.push(resolve)))),
    );
    await eventually(() => {
      expect(waiting).toHaveLength(20);
    });
    expect(db.app.pool.totalCount - db.app.pool.idleCount).toBe(before + 1);
    for (const end of waiting) end();
    await all;
    expect(db.app.pool.totalCount - db.app.pool.idleCount).toBe(before);
  });

  it('tells every writer of a process whose connection is lost, and lets the next one in', async () => {
    const there = await anEhrClinic(db, server);
    const writers = createClinicWriters(db.app);
    const superuser = createConnection({
      url: testServers().superuserDatabaseUrl,
      poolSize: 1,
      name: 'test-superuser',
    });
    const work = writers.alone(there.clinicId, async (lost) => {
      const ended = new Promise((resolve) => lost.addEventListener('abort', resolve));
      await superuser.pool.query(
        `select pg_terminate_backend(pid) from pg_locks
         where locktype = 'advisory' and database = (select oid from pg_database where datname = $1)`,
        [new URL(db.urls.appUrl).pathname.slice(1)],
      );
      await ended;
      lost.throwIfAborted();
    });
    await expect(work.finally(() => superuser.pool.end())).rejects.toMatchObject({ code: 'database_unavailable' });
    // The server lets go of the lock when it has noticed the end of the connection.
    await eventually(async () => {
      expect(await writers.alone(there.clinicId, () => Promise.resolve('in'))).toBe('in');
    });
  });
});
