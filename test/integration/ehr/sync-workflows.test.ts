import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { v7 as uuidV7 } from 'uuid';
import { createEhrActivities, type StartSyncRunInput, type SyncPageInput } from '../../../src/activities/ehr.ts';
import { createFailureInterceptor } from '../../../src/activities/failures.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { requestSync } from '../../../src/scheduling/ehr-sync.ts';
import { createEhrs } from '../../../src/integrations/fhir/client.ts';
import {
  requested,
  workflowIds,
  WORKFLOWS,
  type SyncClinicEhrInput,
  type SyncEhrInput,
} from '../../../src/workflows/messages.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { temporalTest, type TemporalTest } from '../../support/temporal-test.ts';
import { anEhrClinic, startEhrServer, type EhrClinic, type EhrServer } from './ehr-clinic.ts';

const nightly: SyncEhrInput = { trigger: 'nightly' };

describe('the EHR workflows on PostgreSQL and the sandbox EHR', () => {
  let test: TemporalTest;
  let db: TestDatabase;
  let server: EhrServer;
  let stranger: EhrServer;
  let worker: { readonly stop: () => Promise<void> };
  const strangers = new Set<string>();

  beforeAll(async () => {
    [test, db, server, stranger] = await Promise.all([
      temporalTest(),
      createTestDatabase(),
      startEhrServer(),
      startEhrServer(),
    ]);
    const ours = createEhrs({ credentials: server.credentials });
    const theirs = createEhrs({ credentials: stranger.credentials });
    const activities = createEhrActivities({
      connection: db.app,
      clock: Date.now,
      newId: () => uuidV7(),
      ehrOf: (connection) => (strangers.has(connection.clinicId) ? theirs : ours)(connection),
    });
    worker = await test.startWorker(activities, {
      interceptors: { activity: [createFailureInterceptor(() => undefined)] },
    });
  });

  afterEach(() => {
    server.sandbox.control.faults.clear();
  });

  afterAll(async () => {
    await worker.stop();
    await test.close();
    await Promise.all([server.sandbox.close(), stranger.sandbox.close(), db.drop()]);
  });

  const fault = (there: EhrClinic, given: object) =>
    server.sandbox.control.faults.add({
      vendor: 'ehr',
      match: { method: 'POST', path: `/ehr/${there.slug}/fhir` },
      ...given,
    });

  const tellClinic = (input: SyncClinicEhrInput) =>
    test.temporal.client.workflow.start(WORKFLOWS.syncClinicEhr, {
      workflowId: workflowIds.syncClinicEhr(input.clinicId),
      taskQueue: test.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [input],
    });

  const request = async (there: EhrClinic): Promise<string> => {
    const { runId } = await requestSync(createSchedulingDeps(db.app), there.act());
    return runId;
  };

  it('tell every clinic by night; one that refuses us fails alone, and one that is at work already is left to it', async () => {
    const [first, second, refusing, busy] = await Promise.all([
      anEhrClinic(db, server),
      anEhrClinic(db, server),
      anEhrClinic(db, server),
      anEhrClinic(db, server),
    ]);
    strangers.add(refusing.clinicId);
    const ids = await Promise.all([first, second, refusing, busy].map((there) => there.book(1, '09:00')));
    fault(busy, { kind: 'slow', ms: 3_000, times: 1 });
    const atWork = await tellClinic({ clinicId: busy.clinicId, trigger: 'on_demand' });

    const result: unknown = await test.temporal.client.workflow.execute(WORKFLOWS.syncEhr, {
      workflowId: `sync-ehr-nightly-${randomUUID()}`,
      taskQueue: test.taskQueue,
      args: [nightly],
    });
    await atWork.result();

    expect(result).toEqual({ told: 2, failed: 1, alreadyRunning: 1 });
    expect([first, second, busy].map((there, index) => there.inEhr(ids[index === 2 ? 3 : index] ?? '').length)).toEqual(
      [1, 1, 1],
    );
    expect(refusing.inEhr(ids[2] ?? '')).toEqual([]);
    expect(await refusing.runs()).toMatchObject([
      { state: 'FAILED', reason: expect.stringContaining('invalid_client'), finished_at: expect.any(Date) },
    ]);
    const failed = test.temporal.client.workflow.getHandle(workflowIds.syncClinicEhr(refusing.clinicId));
    expect((await failed.describe()).status.name).toBe('FAILED');
  });

  it('carry out the run that was asked for, and what is asked for meanwhile', async () => {
    const there = await anEhrClinic(db, server);
    const early = await there.book(1, '09:00');
    fault(there, { kind: 'slow', ms: 1_500, times: 1 });
    const runId = await request(there);
    const handle = await tellClinic({ clinicId: there.clinicId, trigger: 'on_demand', runId });
    const waiting = await request(there);
    await tellClinic({ clinicId: there.clinicId, trigger: 'on_demand', runId: waiting });
    await handle.result();

    expect(there.inEhr(early)).toHaveLength(1);
    expect(await there.runs()).toMatchObject([
      { run_id: runId, trigger: 'on_demand', state: 'FINISHED', created: 1 },
      { run_id: waiting, trigger: 'on_demand', state: 'FINISHED', created: 0 },
    ]);
  });

  it('do nothing for a run that another workflow has ended', async () => {
    const there = await anEhrClinic(db, server);
    const runId = await request(there);
    await (await tellClinic({ clinicId: there.clinicId, trigger: 'nightly' })).result();
    expect(await there.runs()).toMatchObject([{ run_id: runId, state: 'FINISHED' }]);
    await expect(
      (await tellClinic({ clinicId: there.clinicId, trigger: 'on_demand', runId })).result(),
    ).resolves.toBeNull();
    expect(await there.runs()).toHaveLength(1);
  });

  it('wait for an EHR that is away and lost an answer, and write each once', async () => {
    const there = await anEhrClinic(db, server);
    const ids = await there.bookMany(3);
    fault(there, { kind: 'accept-then-drop', times: 1 });
    const handle = await tellClinic({ clinicId: there.clinicId, trigger: 'nightly' });
    await expect(handle.result()).resolves.toEqual({ created: 3, updated: 0, unchanged: 0, parked: 0 });
    for (const id of ids) expect(there.inEhr(id)).toHaveLength(1);
  });

  it('leave nothing that the EHR said about a patient in their histories', async () => {
    const there = await anEhrClinic(db, server);
    const id = await there.book(1, '09:00');
    fault(there, { kind: 'status', status: 429, message: 'Jordan Sample, born 1980', retryAfter: 1, times: 1 });
    const handle = await tellClinic({ clinicId: there.clinicId, trigger: 'nightly' });
    await handle.result();
    expect(there.inEhr(id)).toHaveLength(1);
    const history = JSON.stringify(await handle.fetchHistory());
    const payloads = [...history.matchAll(/"data":"([^"]*)"/g)].map(([, data]) =>
      Buffer.from(data ?? '', 'base64').toString(),
    );
    const text = [history, ...payloads].join('\n');
    expect(text.includes('ehr_unavailable') && text.includes('http_429')).toBe(true);
    expect(text.includes('Jordan') || text.includes(there.patientId)).toBe(false);
  });
});

describe('the EHR workflows with activities that only count', () => {
  let test: TemporalTest;
  beforeAll(async () => {
    test = await temporalTest();
  });
  afterAll(async () => {
    await test.close();
  });

  const counts = { created: 0, updated: 0, unchanged: 0, parked: 0 };

  /** Activities that find one run and one page, unless told otherwise. */
  async function withActivities(
    given: Partial<ReturnType<typeof createEhrActivities>>,
    work: (started: string[]) => Promise<void>,
  ) {
    const started: string[] = [];
    const noted =
      <Input, Output>(name: string, does: (input: Input) => Promise<Output>) =>
      (input: Input): Promise<Output> => {
        started.push(name);
        return does(input);
      };
    const worker = await test.startWorker({
      listClinicsWithEhr: () => Promise.resolve([]),
      startSyncRun: noted('start', ({ clinicId, onlyOpen }: StartSyncRunInput) =>
        Promise.resolve(onlyOpen === true ? null : { clinicId, runId: 'run-1' }),
      ),
      syncAppointmentsPage: noted('page', () => Promise.resolve({ after: null, counts })),
      finishSyncRun: noted('finish', () => Promise.resolve(counts)),
      ...Object.fromEntries(
        Object.entries(given).map(([name, activity]) => [
          name,
          noted(name, activity as (input: unknown) => Promise<unknown>),
        ]),
      ),
    });
    try {
      await work(started);
    } finally {
      await worker.stop();
    }
  }

  const startClinic = (clinicId: string) =>
    test.temporal.client.workflow.start(WORKFLOWS.syncClinicEhr, {
      workflowId: workflowIds.syncClinicEhr(clinicId),
      taskQueue: test.taskQueue,
      args: [{ clinicId, trigger: 'nightly' } satisfies SyncClinicEhrInput],
    });

  it('go on in a fresh history after many pages, with the same run', async () => {
    const pages = 120;
    const seen: (string | null)[] = [];
    const syncAppointmentsPage = (input: SyncPageInput) => {
      seen.push(input.after);
      return Promise.resolve({
        after: seen.length < pages ? String(seen.length) : null,
        counts: { ...counts, created: seen.length },
      });
    };
    await withActivities({ syncAppointmentsPage }, async (started) => {
      const handle = await startClinic(randomUUID());
      await handle.result();
      expect(seen).toEqual([null, ...Array.from({ length: pages - 1 }, (_, index) => String(index + 1))]);
      expect(started.filter((name) => name === 'start')).toHaveLength(2);
      expect(started.filter((name) => name === 'finish')).toHaveLength(1);
      const first = test.temporal.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
      expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
    });
  });

  it('tell a few clinics at once, and all of them', async () => {
    const clinics = Array.from({ length: 11 }, () => randomUUID());
    const told: string[] = [];
    let atOnce = 0;
    let most = 0;
    const syncAppointmentsPage = async ({ clinicId }: SyncPageInput) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      told.push(clinicId);
      return { after: null, counts };
    };
    await withActivities({ listClinicsWithEhr: () => Promise.resolve(clinics), syncAppointmentsPage }, async () => {
      const result: unknown = await test.temporal.client.workflow.execute(WORKFLOWS.syncEhr, {
        workflowId: `sync-ehr-nightly-${randomUUID()}`,
        taskQueue: test.taskQueue,
        args: [nightly],
      });
      expect(result).toEqual({ told: 11, failed: 0, alreadyRunning: 0 });
      expect(told.toSorted()).toEqual(clinics.toSorted());
      expect(most).toBeLessThanOrEqual(4);
    });
  });

  it('end the run as cancelled when an operator cancels them', async () => {
    const failures: (string | undefined)[] = [];
    await withActivities(
      {
        // Tried again and again, as an EHR that stays away.
        syncAppointmentsPage: () => Promise.reject(ApplicationFailure.create({ type: 'ehr_unavailable' })),
        finishSyncRun: ({ failure }) => {
          failures.push(failure);
          return Promise.resolve(counts);
        },
      },
      async (started) => {
        const handle = await startClinic(randomUUID());
        await eventually(() => {
          expect(started).toContain('syncAppointmentsPage');
        });
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow();
        expect((await handle.describe()).status.name).toBe('CANCELLED');
        expect(failures).toEqual(['cancelled']);
      },
    );
  });

  it('look once more when somebody asks just as they are about to end', async () => {
    const clinicId = randomUUID();
    const looks: StartSyncRunInput[] = [];
    const startSyncRun = async (input: StartSyncRunInput) => {
      looks.push(input);
      if (input.onlyOpen === true && looks.length === 2) {
        await test.temporal.client.workflow.getHandle(workflowIds.syncClinicEhr(clinicId)).signal(requested);
        return null;
      }
      return input.onlyOpen === true ? null : { clinicId, runId: 'run-1' };
    };
    await withActivities({ startSyncRun }, async () => {
      await (await startClinic(clinicId)).result();
      expect(looks.map(({ onlyOpen }) => onlyOpen ?? false)).toEqual([false, true, true]);
    });
  });
});
