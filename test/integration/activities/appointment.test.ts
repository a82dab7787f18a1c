import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { inContext } from '../../../src/db/connection.ts';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { markFailed } from '../../../src/notifications/ledger/attempts.ts';
import { claimToSend } from '../../../src/notifications/ledger/claim.ts';
import { requestReplay } from '../../../src/scheduling/replays.ts';
import { checkIn, completeAppointment, undoCompletion } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { cancelSeries } from '../../../src/scheduling/visits/cancel-series.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { addTimeOff } from '../../../src/scheduling/schedule/time-off.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { notificationSettled, workflowIds } from '../../../src/workflows/messages.ts';
import { searchAttributes } from '../../../src/workflows/search-attributes.ts';
import { aPatient, aProvider, slotAt } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { skipTime } from '../../support/time-skipping.ts';
import { workerWorld, type WorkerWorld } from './worker-world.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

describe('the workflows over real rows', () => {
  let world: WorkerWorld;
  beforeAll(async () => {
    world = await workerWorld();
  });
  afterAll(() => world.close());

  async function book(
    given: {
      readonly days?: number;
      readonly providerId?: string;
      readonly patientId?: string;
      readonly time?: string;
    } = {},
  ) {
    const { database, clinic, deps } = world;
    const appointmentTime = slotAt(clinic, given.days ?? 6, given.time ?? '10:00');
    const patientId = given.patientId ?? (await aPatient(database.owner, clinic));
    const providerId = given.providerId ?? (await aProvider(database.owner, clinic));
    const { appointmentId } = await bookAppointment(deps, world.act(), {
      patientId,
      providerId,
      appointmentTime,
      durationMinutes: 30,
      registersPatient: false,
    });
    return { appointmentId, appointmentTime, patientId, providerId };
  }

  const rowOf = (appointmentId: string) =>
    world.database.owner.db
      .selectFrom('appointment')
      .selectAll()
      .where('appointment_id', '=', appointmentId)
      .executeTakeFirstOrThrow();
  const ledgerOf = (appointmentId: string) =>
    world.database.owner.db
      .selectFrom('notification')
      .selectAll()
      .where('appointment_id', '=', appointmentId)
      .orderBy('created_at')
      .orderBy('due_at')
      .execute();
  const planned = (appointmentId: string, action: string | null) =>
    eventually(async () => {
      const row = await rowOf(appointmentId);
      expect(row.next_action).toBe(action);
      return row;
    });
  /** The kinds that reached the broker about this appointment. */
  const toldOf = async (appointmentId: string) => {
    const kinds = new Map((await ledgerOf(appointmentId)).map((row) => [row.notification_id, row.kind]));
    return world.published.flatMap((message) => kinds.get(message.notificationId) ?? []);
  };
  const told = (appointmentId: string, ...kinds: string[]) =>
    eventually(async () => {
      expect(await toldOf(appointmentId)).toEqual(kinds);
    });

  it('confirms, stores the plan on the row, reminds when it is due and leaves a visit that nobody marked to a person', async () => {
    const { appointmentId, appointmentTime } = await book();
    const row = await planned(appointmentId, 'reminder:P3D');
    expect(row).toMatchObject({ version: 1, reminder_state: 'PLANNED' });
    expect(row.next_action_at).toEqual(new Date(appointmentTime.getTime() - 3 * DAY));
    await told(appointmentId, 'confirmation');
    const [message] = world.published.filter((each) => each.appointmentId === appointmentId);
    expect(message).toEqual({
      schemaVersion: 1,
      notificationId: expect.any(String),
      clinicId: world.clinic.clinicId,
      appointmentId,
      channel: 'sms',
      now: expect.any(String),
      attempt: 1,
    });

    const end = await skipTime(world.temporal.client, workflowIds.appointment(appointmentId), 8 * DAY);
    expect(end).toBe('ended');

    await told(appointmentId, 'confirmation', 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H');
    expect(await rowOf(appointmentId)).toMatchObject({ status: 'SCHEDULED', next_action: null, next_action_at: null });
    for (const entry of await ledgerOf(appointmentId)) {
      const sent = world.published.find((each) => each.notificationId === entry.notification_id);
      expect(Date.parse(sent?.now ?? '')).toBeGreaterThanOrEqual(entry.due_at.getTime());
      expect(entry.state).toBe('QUEUED');
    }
  });

  it('shows in the list of workflows that a message failed and nobody has seen to it', async () => {
    const { appointmentId } = await book();
    await planned(appointmentId, 'reminder:P3D');
    const workflow = world.temporal.client.workflow.getHandle(workflowIds.appointment(appointmentId));
    const attention = async () => (await workflow.describe()).typedSearchAttributes.get(searchAttributes.attention);
    expect(await attention()).toBeUndefined();

    const settle = async (state: 'FAILED' | 'DELIVERED') => {
      await world.database.owner.db
        .updateTable('notification')
        .set({ state })
        .where('appointment_id', '=', appointmentId)
        .execute();
      await workflow.signal(notificationSettled);
    };
    await settle('FAILED');
    await eventually(async () => expect(await attention()).toBe('MESSAGE_FAILED'));
    await settle('DELIVERED');
    await eventually(async () => expect(await attention()).toBeUndefined());
  });

  it('re-plans when the visit is moved', async () => {
    const { appointmentId } = await book();
    await planned(appointmentId, 'reminder:P3D');

    const appointmentTime = slotAt(world.clinic, 20, '11:00');
    await moveAppointment(world.deps, world.act(), { appointmentId, expectedVersion: 1, appointmentTime });

    await told(appointmentId, 'confirmation', 'rescheduled');
    const row = await eventually(async () => {
      const now = await rowOf(appointmentId);
      expect(now.next_action_at).toEqual(new Date(appointmentTime.getTime() - 3 * DAY));
      return now;
    });
    expect(row).toMatchObject({ version: 2, next_action: 'reminder:P3D', reminder_state: 'PLANNED' });
  });

  it('gives a cancelled slot to the patient who waits, and tells both', async () => {
    const { appointmentId, appointmentTime, providerId } = await book({ days: 8 });
    await told(appointmentId, 'confirmation');
    const waiting = await aPatient(world.database.owner, world.clinic, { preferredChannel: 'email' });
    const date = localDate(world.clinic.timeZone, appointmentTime.getTime());
    await joinWaitlist(world.deps, world.act(), {
      patientId: waiting,
      providerId,
      durationMinutes: 30,
      earliestDate: addDays(date, -2),
      latestDate: addDays(date, 2),
      registersPatient: false,
    });

    const { roundId } = await cancelAppointment(world.deps, world.act(), { appointmentId, reason: 'patient_request' });

    await told(appointmentId, 'confirmation', 'cancelled');
    const child = world.temporal.client.workflow.getHandle(workflowIds.rebook(roundId ?? ''));
    await eventually(() => child.describe());
    const result = (await child.result()) as { outcome: string; appointmentId: string };
    expect(result.outcome).toBe('filled');
    expect((await child.describe()).parentExecution?.workflowId).toBe(workflowIds.appointment(appointmentId));
    expect(await rowOf(result.appointmentId)).toMatchObject({
      patient_id: waiting,
      booked_via: 'waitlist',
      appointment_time: appointmentTime,
    });
    await told(result.appointmentId, 'waitlist_booked');
    expect(world.published.find((each) => each.appointmentId === result.appointmentId)?.channel).toBe('email');
    await planned(appointmentId, null);
  });

  it('publishes the same message once the broker is back', async () => {
    world.broker.refuses = 2;
    const { appointmentId } = await book();

    await told(appointmentId, 'confirmation');

    const ledger = await ledgerOf(appointmentId);
    expect(ledger).toHaveLength(1);
    await eventually(async () => {
      expect((await ledgerOf(appointmentId))[0]?.state).toBe('QUEUED');
    });
  });

  it('plans, rebooks and completes while messages wait for the broker, and sends all of them after its return', async () => {
    world.broker.refuses = Number.POSITIVE_INFINITY;
    const stuck: Awaited<ReturnType<typeof book>>[] = [];
    // More than the queue of messages has slots.
    for (let n = 0; n < 6; n += 1) stuck.push(await book({ days: 8 + n }));
    for (const { appointmentId } of stuck) await planned(appointmentId, 'confirmation');
    const freed = await book({ days: 8, time: '13:00' });
    await planned(freed.appointmentId, 'confirmation');
    const waiting = await aPatient(world.database.owner, world.clinic);
    const date = localDate(world.clinic.timeZone, freed.appointmentTime.getTime());
    await joinWaitlist(world.deps, world.act(), {
      patientId: waiting,
      providerId: freed.providerId,
      durationMinutes: 30,
      earliestDate: date,
      latestDate: date,
      registersPatient: false,
    });

    const cancelled = await cancelAppointment(world.deps, world.act(), {
      appointmentId: freed.appointmentId,
      reason: 'patient_request',
    });
    const round = world.temporal.client.workflow.getHandle(workflowIds.rebook(cancelled.roundId ?? ''));
    await eventually(() => round.describe());
    expect(await round.result()).toMatchObject({ outcome: 'filled' });
    await planned(freed.appointmentId, 'cancelled');

    world.broker.refuses = 0;
    for (const { appointmentId } of stuck) await told(appointmentId, 'confirmation');
    await told(freed.appointmentId, 'cancelled');
  });

  it('uses the other channel when the preferred one has no address, and says so when there is none at all', async () => {
    const { owner } = world.database;
    const byEmail = await book({ patientId: await aPatient(owner, world.clinic, { phone: null }) });
    const unreachable = await book({ patientId: await aPatient(owner, world.clinic, { phone: null, email: null }) });

    await told(byEmail.appointmentId, 'confirmation');
    expect((await ledgerOf(byEmail.appointmentId))[0]?.channel).toBe('email');
    await planned(unreachable.appointmentId, 'reminder:P3D');
    expect(await toldOf(unreachable.appointmentId)).toEqual([]);
    expect(await ledgerOf(unreachable.appointmentId)).toMatchObject([
      { kind: 'confirmation', state: 'SKIPPED', reason: 'no_address' },
    ]);
  });

  it.each(['twilio_21610', 'twilio_30003'])(
    'sends the same message by the other channel at once: %s',
    async (reason) => {
      const { appointmentId } = await book();
      await told(appointmentId, 'confirmation');
      const [sms] = await ledgerOf(appointmentId);
      const { clinicId } = world.clinic;
      const id = sms?.notification_id ?? '';
      await inContext(world.database.app.db, { clinicId }, async (tx) => {
        await claimToSend(tx, { notificationId: id, now: new Date(), leaseMs: 30_000 });
        await markFailed(tx, { notificationId: id, attempt: 1, reason });
      });
      await told(appointmentId, 'confirmation', 'confirmation');
      await planned(appointmentId, 'reminder:P3D');
      // The broker has it a moment before the ledger says so.
      await eventually(async () => {
        expect((await ledgerOf(appointmentId)).map(({ channel, state }) => [channel, state])).toEqual([
          ['sms', 'FAILED'],
          ['email', 'QUEUED'],
        ]);
      });
    },
  );

  it('completes the visit of a patient who was checked in, its provider’s time off or not', async () => {
    const { providerId, appointmentTime, appointmentId } = await book({ time: '12:00' });
    await planned(appointmentId, 'reminder:P3D');
    const to = new Date(appointmentTime.getTime() + HOUR);
    await addTimeOff(world.deps, world.act(), { providerId, from: appointmentTime, to });
    await checkIn(world.deps, { ...world.act(), now: appointmentTime }, { appointmentId });
    await planned(appointmentId, 'complete');
    expect(await skipTime(world.temporal.client, workflowIds.appointment(appointmentId), 8 * DAY)).toBe('ended');
    expect(await rowOf(appointmentId)).toMatchObject({ status: 'COMPLETED', next_action: null, next_action_at: null });
  });

  it('starts again where a completion is undone, repeats nothing, and completes it again after the whole grace', async () => {
    const { appointmentTime, appointmentId } = await book({ time: '13:00' });
    await planned(appointmentId, 'reminder:P3D');
    const after = { ...world.act(), now: new Date(appointmentTime.getTime() + HOUR) };
    await checkIn(world.deps, { ...after, now: appointmentTime }, { appointmentId });
    await completeAppointment(world.deps, after, { appointmentId });
    await planned(appointmentId, null);
    await undoCompletion(world.deps, after, { appointmentId });
    await planned(appointmentId, 'complete');
    expect(await skipTime(world.temporal.client, workflowIds.appointment(appointmentId), 8 * DAY)).toBe('ended');
    expect(await rowOf(appointmentId)).toMatchObject({ status: 'COMPLETED', version: 5 });
    expect(await toldOf(appointmentId)).toEqual(['confirmation']);
  });

  it('does not remind a patient who has checked in', async () => {
    const { appointmentTime, appointmentId } = await book();
    await planned(appointmentId, 'reminder:P3D');

    await checkIn(world.deps, { ...world.act(), now: appointmentTime }, { appointmentId });

    await planned(appointmentId, 'complete');
    expect(await skipTime(world.temporal.client, workflowIds.appointment(appointmentId), 8 * DAY)).toBe('ended');
    expect(await toldOf(appointmentId)).toEqual(['confirmation']);
  });

  it('keeps instants and ids in its history, and nothing about the patient', async () => {
    const patientId = await aPatient(world.database.owner, world.clinic, {
      givenName: 'Canary',
      familyName: 'Featherstone',
      phone: '+15005550199',
      email: 'canary.featherstone@patients.example',
    });
    const { appointmentId } = await book({ patientId });
    await planned(appointmentId, 'reminder:P3D');

    const history = await world.temporal.client.workflow
      .getHandle(workflowIds.appointment(appointmentId))
      .fetchHistory();
    const texts: string[] = [];
    const collect = (value: unknown): void => {
      if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('latin1'));
      else if (typeof value === 'string') texts.push(value);
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
    };
    collect(history.events);
    const all = texts.join('\n');
    expect(all).toContain(appointmentId);
    for (const secret of ['Canary', 'Featherstone', '5005550199', 'patients.example', '1980-05-17'])
      expect(all).not.toContain(secret);
  });

  describe('a replay', () => {
    const fail = (appointmentId: string) =>
      world.database.owner.db
        .updateTable('notification')
        .set({ state: 'FAILED', reason: 'twilio_30003', attempt: 1 })
        .where('appointment_id', '=', appointmentId)
        .execute();
    const request = async (notificationIds: string[]) =>
      (await requestReplay(world.deps, world.act(), { notificationIds, reason: 'carrier_outage' })).replayId;
    const idsOf = async (appointmentId: string) => (await ledgerOf(appointmentId)).map((row) => row.notification_id);

    it('sends what failed again, says what is no longer due, and finishes', async () => {
      const failed = await book();
      const gone = await book();
      const fine = await book();
      for (const { appointmentId } of [failed, gone, fine]) await told(appointmentId, 'confirmation');
      await fail(failed.appointmentId);
      await fail(gone.appointmentId);
      const [failedId, goneId, fineId] = [
        ...(await idsOf(failed.appointmentId)),
        ...(await idsOf(gone.appointmentId)),
        ...(await idsOf(fine.appointmentId)),
      ] as [string, string, string];
      await cancelAppointment(world.deps, world.act(), { appointmentId: gone.appointmentId, reason: 'other' });
      world.broker.refuses = 1;

      const replayId = await request([failedId, goneId, fineId]);

      await told(failed.appointmentId, 'confirmation', 'confirmation');
      await eventually(async () => {
        const { state, finished_at } = await world.database.owner.db
          .selectFrom('replay')
          .selectAll()
          .where('replay_id', '=', replayId)
          .executeTakeFirstOrThrow();
        expect(state).toBe('FINISHED');
        expect(finished_at).not.toBeNull();
      });
      const { rows } = await sql<{ notification_id: string; state: string }>`
        select notification_id, state from replay_item where replay_id = ${replayId}`.execute(world.database.owner.db);
      expect(new Map(rows.map((row) => [row.notification_id, row.state]))).toEqual(
        new Map([
          [failedId, 'QUEUED'],
          [goneId, 'NOT_DUE'],
          [fineId, 'NOT_FAILED'],
        ]),
      );
      expect(await world.temporal.client.workflow.getHandle(workflowIds.replay(replayId)).result()).toEqual({
        state: 'FINISHED',
        pending: 0,
        queued: 1,
        notDue: 1,
        notFailed: 1,
      });
    });

    it('takes up a message that was lost at the broker', async () => {
      const { appointmentId } = await book();
      await told(appointmentId, 'confirmation');
      await world.database.owner.db
        .updateTable('notification')
        .set({ updated_at: new Date(Date.now() - 3 * HOUR) })
        .where('appointment_id', '=', appointmentId)
        .execute();

      await request(await idsOf(appointmentId));

      await told(appointmentId, 'confirmation', 'confirmation');
    });

    it('is refused when none of the messages has failed, or one is not the clinic’s', async () => {
      const { appointmentId } = await book();
      await told(appointmentId, 'confirmation');
      const ids = await idsOf(appointmentId);

      await expect(request(ids)).rejects.toMatchObject({ code: 'notification_not_failed' });
      await expect(request([...ids, '0195a1b2-0000-7000-8000-000000000000'])).rejects.toMatchObject({
        code: 'not_found',
      });
    });
  });

  it('wakes an appointment whose notice is out when the sweep says that it is overdue', async () => {
    const { appointmentId } = await book();
    await planned(appointmentId, 'reminder:P3D');
    // As after a restore of the row: the plan is lost.
    await world.database.owner.db
      .updateTable('appointment')
      .set({ next_action: 'plan', next_action_at: new Date(Date.now() - HOUR) })
      .where('appointment_id', '=', appointmentId)
      .execute();

    await sql`select enqueue_overdue('1 minute', 500)`.execute(world.database.relay.db);

    await planned(appointmentId, 'reminder:P3D');
    expect(await toldOf(appointmentId)).toEqual(['confirmation']);
  });

  describe('over a series', () => {
    async function bookFour() {
      const { database, clinic, deps } = world;
      const series = await bookSeries(
        deps,
        world.act(),
        {
          patientId: await aPatient(database.owner, clinic),
          providerId: await aProvider(database.owner, clinic),
          appointmentTime: slotAt(clinic, 6, '10:00'),
          durationMinutes: 30,
          everyWeeks: 1,
          count: 4,
          registersPatient: false,
        },
        undefined,
      );
      const ids = series.appointments.map(({ appointmentId }) => appointmentId) as [string, string, string, string];
      for (const id of ids) await planned(id, 'reminder:P3D');
      return ids;
    }
    const toldOfAll = (ids: readonly string[]) => Promise.all(ids.map(toldOf));

    it('sends one confirmation in all, and reminds of every visit', async () => {
      const ids = await bookFour();
      expect(await toldOfAll(ids)).toEqual([['series_confirmation'], [], [], []]);
      expect(await skipTime(world.temporal.client, workflowIds.appointment(ids[1]), 15 * DAY)).toBe('ended');
      await told(ids[1], 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H');
    });

    it('tells once that the rest was moved, and once that it was cancelled', async () => {
      const ids = await bookFour();
      const appointmentTime = slotAt(world.clinic, 13, '15:00');
      await moveSeries(world.deps, world.act(), { appointmentId: ids[1], expectedVersion: 1, appointmentTime });
      await told(ids[1], 'series_rescheduled');
      await cancelSeries(world.deps, world.act(), { appointmentId: ids[2], reason: 'patient_request' });
      await told(ids[2], 'series_cancelled');
      for (const id of ids.slice(2)) await planned(id, null);
      expect(await toldOfAll(ids)).toEqual([['series_confirmation'], ['series_rescheduled'], ['series_cancelled'], []]);
    });

    it('lets the next visit announce the rest when the first is moved alone before anybody was told', async () => {
      world.broker.refuses = 1_000;
      const { database, clinic, deps } = world;
      const series = await bookSeries(
        deps,
        world.act(),
        {
          patientId: await aPatient(database.owner, clinic),
          providerId: await aProvider(database.owner, clinic),
          appointmentTime: slotAt(clinic, 6, '10:00'),
          durationMinutes: 30,
          everyWeeks: 1,
          count: 3,
          registersPatient: false,
        },
        undefined,
      );
      const [first = '', second = '', third = ''] = series.appointments.map(({ appointmentId }) => appointmentId);
      await planned(first, 'series_confirmation');
      await moveAppointment(deps, world.act(), {
        appointmentId: first,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 7, '10:00'),
      });
      // The attempt that was under way at the move is over: it would publish what the notifier then skips.
      await planned(first, 'rescheduled');
      world.broker.refuses = 0;
      await told(first, 'rescheduled');
      await told(second, 'series_confirmation');
      await planned(second, 'reminder:P3D');
      expect(await toldOfAll([first, second, third])).toEqual([['rescheduled'], ['series_confirmation'], []]);
    });
  });
});
