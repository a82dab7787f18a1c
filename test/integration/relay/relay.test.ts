import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createTemporalNamespace } from '../../../scripts/stack/index.mjs';
import { endLeases, enqueueOverdue, leaseBatch } from '../../../src/db/outbox-leases.ts';
import { createTemporalClient, type TemporalClient } from '../../../src/integrations/temporal/client.ts';
import {
  createWorkflowCalls,
  type CallOutcome,
  type WorkflowCalls,
} from '../../../src/integrations/temporal/workflow-calls.ts';
import { createLogger } from '../../../src/logger.ts';
import { createRelay, startRelay, type RelayDeps } from '../../../src/relay/relay.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { workflowIds, type OutboxEvent } from '../../../src/workflows/messages.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { testServers } from '../../support/servers.ts';
import { tcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const logger = createLogger({ level: 'error', role: 'test' }, { write: () => undefined });

const relayBatch = (deps: RelayDeps) => createRelay(deps).batch();

describe('the relay', () => {
  let database: TestDatabase;
  let clinic: Clinic;
  let network: TcpProxy;
  let temporal: TemporalClient;
  let deps: RelayDeps;

  beforeAll(async () => {
    const { temporalAddress } = testServers();
    const namespace = `relay-${randomUUID().slice(0, 8)}`;
    database = await createTestDatabase();
    clinic = await aClinic(database.owner);
    await createTemporalNamespace({ address: temporalAddress, name: namespace });
    network = await tcpProxy(temporalAddress);
    temporal = createTemporalClient({ address: network.address, namespace }, { retries: 'none' });
    deps = {
      connection: database.relay,
      calls: createWorkflowCalls(temporal.client, 4_000),
      logger,
      random: () => 0,
    };
  });
  afterAll(async () => {
    await temporal.close();
    await network.goAway();
    await database.drop();
  });
  beforeEach(() => sql`truncate outbox`.execute(database.owner.db));

  async function anOutboxRow(given: {
    readonly event: string;
    readonly aggregate?: OutboxEvent['aggregate'];
    readonly aggregateId?: string;
    readonly version?: number;
    readonly schemaVersion?: number;
  }) {
    const aggregateId = given.aggregateId ?? randomUUID();
    const { outbox_id } = await database.owner.db
      .insertInto('outbox')
      .values({
        clinic_id: clinic.clinicId,
        aggregate: given.aggregate ?? 'appointment',
        aggregate_id: aggregateId,
        event: given.event,
        version: given.version ?? null,
        schema_version: given.schemaVersion ?? 1,
        request_id: 'request-1',
        traceparent: null,
        parked_reason: null,
      })
      .returning('outbox_id')
      .executeTakeFirstOrThrow();
    return { outboxId: outbox_id, aggregateId };
  }

  const rowOf = (outboxId: string) =>
    database.owner.db.selectFrom('outbox').selectAll().where('outbox_id', '=', outboxId).executeTakeFirstOrThrow();

  async function signalsOf(workflowId: string): Promise<string[]> {
    const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
  }

  /** Calls that are counted and never reach Temporal. */
  function countedCalls(
    answer: (workflowId: string) => CallOutcome | Promise<CallOutcome> = () => ({ outcome: 'done' }),
  ) {
    const told: string[] = [];
    const call = (workflowId: string) => {
      told.push(workflowId);
      return Promise.resolve(answer(workflowId));
    };
    const calls: WorkflowCalls = {
      start: ({ workflowId }) => call(workflowId),
      signalWithStart: ({ workflowId }) => call(workflowId),
      signalIfRunning: (workflowId) => call(workflowId),
    };
    return { told, calls };
  }

  /** So many bookings, in one statement. */
  async function bookings(count: number): Promise<void> {
    await sql`insert into outbox (clinic_id, aggregate, aggregate_id, event, version)
      select ${clinic.clinicId}, 'appointment', gen_random_uuid(), 'booked', 1 from generate_series(1, ${count})`.execute(
      database.owner.db,
    );
  }
  const openRows = async () => {
    const rows = await database.owner.db
      .selectFrom('outbox')
      .select('outbox_id')
      .where('done_at', 'is', null)
      .execute();
    return rows.map((row) => row.outbox_id);
  };

  it('starts the workflow of a booked appointment, with ids only', async () => {
    const { outboxId, aggregateId } = await anOutboxRow({ event: 'booked', version: 1 });

    expect(await relayBatch(deps)).toMatchObject({ leased: 1, told: 1, away: undefined });

    const handle = temporal.client.workflow.getHandle(workflowIds.appointment(aggregateId));
    const { type, status, taskQueue } = await handle.describe();
    expect({ type, status: status.name, taskQueue }).toEqual({
      type: 'appointment',
      status: 'RUNNING',
      taskQueue: 'appointments',
    });
    const { events } = await handle.fetchHistory();
    const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? [];
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      appointmentId: aggregateId,
      clinicId: clinic.clinicId,
      requestId: 'request-1',
    });
    const row = await rowOf(outboxId);
    expect(row.done_at).not.toBeNull();
    expect(row.lease_until).toBeNull();
  });

  it('does no harm by telling a row twice', async () => {
    const { outboxId, aggregateId } = await anOutboxRow({ event: 'booked', version: 1 });
    await relayBatch(deps);
    const workflowId = workflowIds.appointment(aggregateId);
    const { runId } = await temporal.client.workflow.getHandle(workflowId).describe();

    await database.owner.db.updateTable('outbox').set({ done_at: null }).where('outbox_id', '=', outboxId).execute();
    expect(await relayBatch(deps)).toMatchObject({ told: 1 });

    expect((await temporal.client.workflow.getHandle(workflowId).describe()).runId).toBe(runId);
  });

  it('starts a workflow that is not there when it tells of a change', async () => {
    const { aggregateId } = await anOutboxRow({ event: 'cancelled', version: 2 });
    await relayBatch(deps);
    expect(await signalsOf(workflowIds.appointment(aggregateId))).toEqual(['cancelled']);
  });

  it.each(['noticeTakenOver', 'notificationSettled'])(
    'wakes the visit that may have another message to send, and starts it anew where it has ended: %s',
    async (event) => {
      const { aggregateId } = await anOutboxRow({ event, version: 3 });
      await relayBatch(deps);
      expect(await signalsOf(workflowIds.appointment(aggregateId))).toEqual([event]);
    },
  );

  it.each(['answered', 'visitChanged', 'notificationSettled', 'paused', 'resumed', 'stopped'])(
    'tells a sick day: %s',
    async (event) => {
      const { aggregateId } = await anOutboxRow({ aggregate: 'sick_day', event });
      await relayBatch(deps);
      expect(await signalsOf(workflowIds.sickDay(aggregateId))).toEqual([event]);
    },
  );

  it.each(['completed'])('tells %s to nobody when the workflow has ended', async (event) => {
    const { outboxId } = await anOutboxRow({ event, version: 3 });
    expect(await relayBatch(deps)).toMatchObject({ told: 1 });
    expect((await rowOf(outboxId)).done_at).not.toBeNull();
  });

  it('starts replays, EHR syncs and overdue rounds', async () => {
    const replay = await anOutboxRow({ aggregate: 'replay', event: 'requested' });
    const round = await anOutboxRow({ aggregate: 'round', event: 'overdue' });
    await anOutboxRow({ aggregate: 'ehr_sync', event: 'requested' });

    expect(await relayBatch(deps)).toMatchObject({ leased: 3, told: 3 });

    const typeOf = async (id: string) => (await temporal.client.workflow.getHandle(id).describe()).type;
    expect(await typeOf(workflowIds.replay(replay.aggregateId))).toBe('replayNotifications');
    expect(await typeOf(workflowIds.rebook(round.aggregateId))).toBe('rebookFreedSlot');
    expect(await typeOf(workflowIds.syncClinicEhr(clinic.clinicId))).toBe('syncClinicEhr');
  });

  it('leaves what it does not know to the release that does, for a day, and goes on with the rest', async () => {
    const unknown = await anOutboxRow({ event: 'teleported' });
    const newer = await anOutboxRow({ event: 'booked', version: 1, schemaVersion: 2 });
    const fine = await anOutboxRow({ event: 'booked', version: 1 });

    expect(await relayBatch(deps)).toMatchObject({ leased: 3, told: 1, parked: 0, away: undefined });

    expect((await rowOf(fine.outboxId)).done_at).not.toBeNull();
    for (const { outboxId } of [unknown, newer]) {
      expect(await rowOf(outboxId)).toMatchObject({ attempts: 0, lease_until: null, parked_reason: null });
    }
    expect(await relayBatch(deps)).toMatchObject({ leased: 0 });

    await sql`update outbox set available_at = now(), created_at = created_at - interval '25 hours'`.execute(
      database.owner.db,
    );
    expect(await relayBatch(deps)).toMatchObject({ leased: 2, told: 0, parked: 2 });
    expect((await rowOf(unknown.outboxId)).parked_reason).toBe('unknown_event');
    expect((await rowOf(newer.outboxId)).parked_reason).toBe('unknown_schema_version');
  });

  describe('when Temporal cannot serve one workflow', () => {
    const internal = { outcome: 'unclear', code: 'GRPC_13' } as const;

    it('tells all others as fast as ever, in the same number of batches', async () => {
      const { outboxId, aggregateId } = await anOutboxRow({ event: 'booked', version: 1 });
      await bookings(999);
      const bad = workflowIds.appointment(aggregateId);
      const { told, calls } = countedCalls((workflowId) => (workflowId === bad ? internal : { outcome: 'done' }));
      const relay = createRelay({ ...deps, calls });

      for (let batch = 1; batch <= 10; batch += 1) {
        // Its time to come back has come with every batch: it is counted as others are told beside it.
        expect(await relay.batch()).toMatchObject({ away: undefined });
        await sql`update outbox set available_at = now() where outbox_id = ${outboxId}`.execute(database.owner.db);
      }

      const others = told.filter((workflowId) => workflowId !== bad);
      expect(others.length).toBeGreaterThanOrEqual(990);
      expect(new Set(others).size).toBe(others.length);
      expect(await rowOf(outboxId)).toMatchObject({ attempts: 10, lease_until: null, parked_reason: null });
    });

    it('backs that row off by itself and parks it at last, with the reason, where an operator sees it', async () => {
      const lines: Record<string, unknown>[] = [];
      const { outboxId, aggregateId } = await anOutboxRow({ event: 'booked', version: 1 });
      const bad = workflowIds.appointment(aggregateId);
      const { calls } = countedCalls((workflowId) => (workflowId === bad ? internal : { outcome: 'done' }));
      const heard = createLogger(
        { level: 'warn', role: 'test' },
        { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
      );
      const relay = createRelay({ ...deps, calls, logger: heard });
      const waits: number[] = [];

      for (let tries = 1; tries <= 12; tries += 1) {
        await bookings(1);
        await relay.batch();
        const { rows } = await sql<{ wait: number }>`
          select round(extract(epoch from available_at - now()))::integer as wait from outbox where outbox_id = ${outboxId}`.execute(
          database.owner.db,
        );
        waits.push(rows[0]?.wait ?? Number.NaN);
        await sql`update outbox set available_at = now() where outbox_id = ${outboxId}`.execute(database.owner.db);
      }

      expect(waits.slice(6, 11)).toEqual([64, 128, 256, 300, 300]);
      expect((await rowOf(outboxId)).parked_reason).toBe('GRPC_13');
      // Said when it began, not every time; and when it was parked.
      expect(lines.map(({ event, outboxId: id }) => [event, id])).toEqual([
        ['outbox_refused', outboxId],
        ['outbox_parked', outboxId],
      ]);
    });

    it('waits for no call that hangs: the batches after it go on, and its own end is written when it is known', async () => {
      const { outboxId, aggregateId } = await anOutboxRow({ event: 'booked', version: 1 });
      await bookings(300);
      const bad = workflowIds.appointment(aggregateId);
      let giveUp: (outcome: CallOutcome) => void = () => undefined;
      const hangs = new Promise<CallOutcome>((resolve) => (giveUp = resolve));
      const { told, calls } = countedCalls((workflowId) => (workflowId === bad ? hangs : { outcome: 'done' }));
      const relay = createRelay({ ...deps, calls });

      for (let batch = 1; batch <= 4; batch += 1) await relay.batch();

      expect(told).toHaveLength(301);
      expect(await openRows()).toEqual([outboxId]);
      giveUp({ outcome: 'unclear', code: 'GRPC_4' });
      await relay.settle();
      expect(await rowOf(outboxId)).toMatchObject({ attempts: 1, lease_until: null, done_at: null });
    });

    it('is not stopped by many of them at the head of the queue', async () => {
      await bookings(60);
      const { calls: refusing, told: refused } = countedCalls(() => internal);
      expect(await createRelay({ ...deps, calls: refusing }).batch()).toMatchObject({ told: 0, away: 'GRPC_13' });
      const bad = new Set(refused);
      await bookings(40);

      const { calls } = countedCalls((workflowId) => (bad.has(workflowId) ? internal : { outcome: 'done' }));
      // Those that have just failed come after those that have not been tried.
      expect(await createRelay({ ...deps, calls }).batch()).toMatchObject({ told: 100 - bad.size, away: undefined });
    });
  });

  it('takes nothing for the fault of a row while nothing at all is told', async () => {
    await bookings(100);
    const { told, calls } = countedCalls(() => ({ outcome: 'unclear', code: 'GRPC_14' }));

    expect(await relayBatch({ ...deps, calls })).toMatchObject({ leased: 100, told: 0, away: 'GRPC_14' });

    // After as many failures as calls are made at once it stops asking.
    expect(told).toHaveLength(25);
    const counted = await database.owner.db
      .selectFrom('outbox')
      .select('outbox_id')
      .where('attempts', '>', 0)
      .execute();
    expect(counted).toEqual([]);
  });

  it('leaves a row alone whose lease has run out and that another relay has taken', async () => {
    const { outboxId } = await anOutboxRow({ event: 'booked', version: 1 });
    const [mine] = await leaseBatch(database.relay.db, 10, -1);
    const [theirs] = await leaseBatch(database.relay.db, 10, 30);
    if (mine === undefined || theirs === undefined) throw new Error('not leased');

    await endLeases(database.relay.db, [{ ...mine, outcome: 'parked', reason: 'mine' }]);
    expect(await rowOf(outboxId)).toMatchObject({ attempts: 2, parked_reason: null, done_at: null });

    await endLeases(database.relay.db, [{ ...theirs, outcome: 'done' }]);
    expect((await rowOf(outboxId)).done_at).not.toBeNull();
  });

  it('tells what has just happened before what the sweep or a rebuild has found', async () => {
    for (let n = 0; n < 3; n += 1) await anOutboxRow({ event: 'overdue' });
    const fresh = [
      await anOutboxRow({ event: 'booked', version: 1 }),
      await anOutboxRow({ event: 'cancelled', version: 2 }),
    ];

    const leased = await leaseBatch(database.relay.db, 3, 30);

    expect(leased.map((row) => row.event).sort()).toEqual(['booked', 'cancelled', 'overdue']);
    expect(leased.map((row) => row.outboxId)).toEqual(expect.arrayContaining(fresh.map((row) => row.outboxId)));
  });

  it('tells each row once, however many relays run', async () => {
    for (let n = 0; n < 150; n += 1) await anOutboxRow({ event: 'booked', version: 1 });
    const { told, calls } = countedCalls();
    const loops = [1, 2, 3].map(() => startRelay({ ...deps, calls }));

    await eventually(async () => {
      const { open } = await database.owner.db
        .selectFrom('outbox')
        .select(({ fn }) => fn.countAll<string>().as('open'))
        .where('done_at', 'is', null)
        .executeTakeFirstOrThrow();
      expect(open).toBe('0');
    });
    await Promise.all(loops.map((loop) => loop.stop()));

    expect(told).toHaveLength(150);
    expect(new Set(told).size).toBe(150);
  });

  it('takes up the rows of a relay that died, once its lease is over', async () => {
    const { outboxId } = await anOutboxRow({ event: 'booked', version: 1 });
    expect(await leaseBatch(database.relay.db, 10, 30)).toHaveLength(1);
    expect(await relayBatch(deps)).toMatchObject({ leased: 0 });

    await database.owner.db
      .updateTable('outbox')
      .set({ lease_until: sql<Date>`now() - interval '1 second'` })
      .where('outbox_id', '=', outboxId)
      .execute();

    expect(await relayBatch(deps)).toMatchObject({ leased: 1, told: 1 });
  });

  it('tries what Temporal refuses a few times, later and later, and then parks it', async () => {
    const { outboxId } = await anOutboxRow({ event: 'booked', version: 1 });
    const { told, calls } = countedCalls(() => ({ outcome: 'refused', code: 'INVALID_ARGUMENT', error: new Error() }));
    const now = async () =>
      (await sql<{ now: Date }>`select now() as now`.execute(database.owner.db)).rows[0]?.now.getTime() ?? Number.NaN;
    for (const seconds of [1, 2, 4, 8]) {
      const before = await now();
      await relayBatch({ ...deps, calls });
      const after = await now();
      // The wait began somewhere between the two.
      const until = (await rowOf(outboxId)).available_at.getTime();
      expect(until - before).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(until - after).toBeLessThanOrEqual(seconds * 1_000);
      await sql`update outbox set available_at = now()`.execute(database.owner.db);
    }
    await relayBatch({ ...deps, calls });

    expect(told).toHaveLength(5);
    expect((await rowOf(outboxId)).parked_reason).toBe('INVALID_ARGUMENT');
  });

  it('loses nothing while Temporal is away and goes on within ten seconds of its return', async () => {
    const relay = startRelay(deps);
    const before = await anOutboxRow({ event: 'booked', version: 1 });
    await eventually(async () => expect((await rowOf(before.outboxId)).done_at).not.toBeNull());

    await network.goAway();
    const during: Awaited<ReturnType<typeof anOutboxRow>>[] = [];
    for (let n = 0; n < 20; n += 1) during.push(await anOutboxRow({ event: 'booked', version: 1 }));
    await eventually(async () => {
      const { available_at, created_at } = await rowOf(during[0]?.outboxId ?? '');
      expect(available_at.getTime()).toBeGreaterThan(created_at.getTime());
    });
    await network.comeBack();
    const back = Date.now();

    for (const { outboxId } of during) {
      await eventually(async () => expect((await rowOf(outboxId)).done_at).not.toBeNull());
    }
    expect(Date.now() - back).toBeLessThan(10_000);
    for (const { outboxId, aggregateId } of during) {
      const row = await rowOf(outboxId);
      expect(row.attempts).toBe(1);
      expect(row.parked_reason).toBeNull();
      await temporal.client.workflow.getHandle(workflowIds.appointment(aggregateId)).describe();
    }
    await relay.stop();
  });

  describe('the sweep and the rebuild', () => {
    async function aBookedAppointment(): Promise<string> {
      const { appointmentId } = await bookAppointment(
        createSchedulingDeps(database.app),
        { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() },
        {
          patientId: await aPatient(database.owner, clinic),
          providerId: await aProvider(database.owner, clinic),
          appointmentTime: slotAt(clinic, 5, '10:00'),
          durationMinutes: 30,
          registersPatient: false,
        },
      );
      return appointmentId;
    }
    const overdueRows = (appointmentId: string) =>
      database.owner.db
        .selectFrom('outbox')
        .select('outbox_id')
        .where('aggregate_id', '=', appointmentId)
        .where('event', '=', 'overdue')
        .where('done_at', 'is', null)
        .execute();

    it('tells once more, and only once, what is overdue by a minute', async () => {
      const [late, fresh] = [await aBookedAppointment(), await aBookedAppointment()];
      await database.owner.db
        .updateTable('appointment')
        .set({ next_action_at: sql<Date>`now() - interval '61 seconds'` })
        .where('appointment_id', '=', late)
        .execute();

      await enqueueOverdue(database.relay.db, '1 minute', 500);
      await enqueueOverdue(database.relay.db, '1 minute', 500);

      expect(await overdueRows(late)).toHaveLength(1);
      expect(await overdueRows(fresh)).toHaveLength(0);
      await relayBatch(deps);
      expect(await signalsOf(workflowIds.appointment(late))).toEqual(['overdue']);
    });

    it('tells a running replay again, and lets one that is paused or has ended be', async () => {
      const aReplay = async (state: 'RUNNING' | 'PAUSED' | 'STOPPED') => {
        const { replay_id: replayId } = await database.owner.db
          .insertInto('replay')
          .values({
            replay_id: randomUUID(),
            clinic_id: clinic.clinicId,
            requested_by: 'support-1',
            reason: null,
            state,
            created_at: sql<Date>`now() - interval '1 day'`,
            finished_at: state === 'STOPPED' ? sql<Date>`now()` : null,
          })
          .returning('replay_id')
          .executeTakeFirstOrThrow();
        return replayId;
      };
      const running = await aReplay('RUNNING');
      const others = [await aReplay('PAUSED'), await aReplay('STOPPED')];

      await enqueueOverdue(database.relay.db, '1 minute', 500);

      expect(await overdueRows(running)).toHaveLength(1);
      for (const other of others) expect(await overdueRows(other)).toHaveLength(0);
    });
  });
});
