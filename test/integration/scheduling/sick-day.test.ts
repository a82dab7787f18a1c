import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { auditOf } from '../../../src/db/audit.ts';
import { inContext, type Tx } from '../../../src/db/connection.ts';
import { markOfferTold } from '../../../src/db/offers.ts';
import { dueItems, outcomesOf } from '../../../src/db/sick-days.ts';
import type { ClinicPolicy, SickDayStep } from '../../../src/domain/policy.ts';
import { failWaiting } from '../../../src/notifications/ledger/attempts.ts';
import { claimToSend } from '../../../src/notifications/ledger/claim.ts';
import { markQueued, planNotification } from '../../../src/notifications/ledger/rows.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { checkIn } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { resolveTask } from '../../../src/scheduling/tasks.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { changePolicy } from '../../../src/scheduling/registry/clinic.ts';
import { changeHours, overrideDate } from '../../../src/scheduling/schedule/hours.ts';
import { addClosure, importClosures } from '../../../src/scheduling/schedule/closures.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { acceptOffer, declineOffer } from '../../../src/scheduling/claims/answer-offer.ts';
import { callInSick, pauseSickDay, resumeSickDay, stopSickDay } from '../../../src/scheduling/sick-day/sick-day.ts';
import { takeNextStep } from '../../../src/scheduling/sick-day/step.ts';
import { removeTimeOff } from '../../../src/scheduling/schedule/time-off.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const MINUTE = 60_000;

interface Booked {
  readonly appointmentId: string;
  readonly appointmentTime: Date;
}

describe('a sick day', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;
  let providerId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
  });
  afterAll(() => database.drop());

  const aPlace = async (policy: Partial<ClinicPolicy> = {}) => {
    clinic = await aClinic(database.owner, { policy });
    providerId = await aProvider(database.owner, clinic);
  };
  beforeEach(() => aPlace());

  const act = (given: Partial<Act> = {}): Act => ({
    actor: { kind: 'staff', id: 'desk' },
    clinicId: clinic.clinicId,
    now: new Date(),
    ...given,
  });
  const asPatient = (): Act => act({ actor: { kind: 'patient', id: 'patient-subject' } });
  const book = async (given: { time?: string; providerId?: string; patientId?: string; days?: number } = {}) => {
    const patientId = given.patientId ?? (await aPatient(database.owner, clinic));
    const appointmentTime = slotAt(clinic, given.days ?? 3, given.time ?? '10:00');
    const { appointmentId } = await bookAppointment(deps, act(), {
      patientId,
      providerId: given.providerId ?? providerId,
      appointmentTime,
      durationMinutes: 30,
      registersPatient: false,
    });
    return { appointmentId, patientId, appointmentTime };
  };
  const callIn = (given: { steps?: readonly SickDayStep[]; providerId?: string; day?: number } = {}) =>
    callInSick(deps, act(), {
      providerId: given.providerId ?? providerId,
      from: slotAt(clinic, given.day ?? 3, '00:00'),
      to: slotAt(clinic, (given.day ?? 3) + 1, '00:00'),
      reason: 'illness',
      ...(given.steps === undefined ? {} : { steps: given.steps }),
    });
  const step = (sickDayId: string, appointmentId: string, now = new Date()) =>
    takeNextStep(deps, act({ actor: { kind: 'system', id: 'sick-day-workflow' }, now }), { sickDayId, appointmentId });
  const itemsOf = (sickDayId: string) =>
    database.owner.db
      .selectFrom('sick_day_item')
      .select(['appointment_id', 'state', 'step_index', 'reason'])
      .where('sick_day_id', '=', sickDayId)
      .orderBy('visit_start')
      .execute();
  const itemOf = async (sickDayId: string, appointmentId: string) =>
    (await itemsOf(sickDayId)).find((item) => item.appointment_id === appointmentId);
  const offersOf = (appointmentId: string) =>
    database.owner.db
      .selectFrom('offer')
      .selectAll()
      .where('appointment_id', '=', appointmentId)
      .orderBy('offer_id')
      .execute();
  const openOffer = async (appointmentId: string) => {
    const offer = (await offersOf(appointmentId)).find(({ state }) => state === 'OPEN');
    if (offer === undefined) throw new Error('no open offer');
    return offer;
  };
  const visitOf = (appointmentId: string) =>
    database.owner.db
      .selectFrom('appointment')
      .selectAll()
      .where('appointment_id', '=', appointmentId)
      .executeTakeFirstOrThrow();
  const tasksOf = (sickDayId: string) =>
    database.owner.db.selectFrom('task').selectAll().where('sick_day_id', '=', sickDayId).execute();
  const reservationsOf = async (resourceId: string) =>
    (
      await database.owner.db
        .selectFrom('reservation')
        .select('purpose')
        .where('resource_id', '=', resourceId)
        .execute()
    ).map(({ purpose }) => purpose);
  const told = async (sickDayId: string) =>
    (
      await database.owner.db
        .selectFrom('outbox')
        .select('event')
        .where('aggregate_id', '=', sickDayId)
        .orderBy('outbox_id')
        .execute()
    ).map(({ event }) => event);
  /** As if the patient had been told, and has let the time run out. */
  const runOut = (offerId: string, wasTold = true) =>
    sql`with o as (update offer set expires_at = now() - interval '1 second', told_at = ${wasTold ? sql`now()` : sql`null`}
      where offer_id = ${offerId} returning hold_id)
      update reservation r set expires_at = now() - interval '1 second' from o where r.hold_id = o.hold_id`.execute(
      database.owner.db,
    );
  const inClinic = <T>(work: (tx: Tx) => Promise<T>) => inContext(database.app.db, { clinicId: clinic.clinicId }, work);
  const due = (sickDayId: string) => inClinic((tx) => dueItems(tx, sickDayId, new Date(), 100));
  const unreachable = async (sickDayId: string) =>
    (await inClinic((tx) => outcomesOf(tx, sickDayId))).flatMap((item) =>
      item.unreachable ? [item.appointment_id] : [],
    );
  /** A message about the visit that the broker has. */
  const queued = async (
    visit: { readonly appointmentId: string; readonly patientId: string; readonly appointmentTime: Date },
    given:
      | { readonly kind: 'move_offer'; readonly offerId: string }
      | { readonly kind: 'cancelled' }
      | { readonly kind: `reminder:${'P3D' | 'P1D'}`; readonly plannedFor: Date },
  ) => {
    const message = {
      notificationId: uuidV7(),
      clinicId: clinic.clinicId,
      appointmentId: visit.appointmentId,
      patientId: visit.patientId,
      channel: 'sms',
      plannedFor: visit.appointmentTime,
      appointmentVersion: 1,
      dueAt: new Date(),
      ...given,
    } as const;
    await inClinic(async (tx) => {
      await planNotification(tx, message);
      await markQueued(tx, message.notificationId);
    });
    return message;
  };

  describe('begins', () => {
    it('with time off and one item for every visit that it hits, in one transaction with its outbox row', async () => {
      const late = await book({ time: '11:00' });
      const early = await book({ time: '09:00' });
      await book({ days: 4 });
      const cancelled = await book({ time: '15:00' });
      await cancelAppointment(deps, act(), { appointmentId: cancelled.appointmentId, reason: 'patient_request' });

      const { sickDayId, affectedAppointments } = await callIn();

      expect(affectedAppointments).toBe(2);
      expect(await itemsOf(sickDayId)).toEqual(
        [early, late].map(({ appointmentId }) => ({
          appointment_id: appointmentId,
          state: 'PENDING',
          step_index: 0,
          reason: null,
        })),
      );
      expect(await told(sickDayId)).toEqual(['requested']);
      await expect(book({ time: '14:00' })).rejects.toMatchObject({ code: 'provider_away' });
      expect(await due(sickDayId)).toEqual([early.appointmentId, late.appointmentId]);
    });

    it('sees to visits in time off that was entered before, and leaves those that another sick day has in hand', async () => {
      const visit = await book();
      const first = await callIn();
      expect((await callIn()).affectedAppointments).toBe(0);
      await stopSickDay(deps, act(), first);
      const second = await callIn();
      expect(second.affectedAppointments).toBe(1);
      expect(await itemOf(second.sickDayId, visit.appointmentId)).toMatchObject({ state: 'PENDING' });
    });

    it('with the clinic’s policy as it is then, or less of it, and never with more', async () => {
      await aPlace({ sickDay: { steps: ['other_day', 'waitlist', 'call'], offerMinutes: 45, searchDays: 3 } });
      const { sickDayId } = await callIn({ steps: ['call', 'other_day'] });
      const row = await database.owner.db
        .selectFrom('sick_day')
        .selectAll()
        .where('sick_day_id', '=', sickDayId)
        .executeTakeFirstOrThrow();
      expect(row).toMatchObject({ steps: ['other_day', 'call'], offer_minutes: 45, search_days: 3, state: 'RUNNING' });
      await expect(callIn({ steps: ['colleague'] })).rejects.toMatchObject({ code: 'step_not_in_policy' });
    });

    it('once under a key, not for the past and not for a provider of another clinic', async () => {
      const idempotency = { caller: 'desk', route: 'POST sick-days', key: 'key-1', fingerprint: 'a' };
      const absence = { providerId, from: slotAt(clinic, 3, '08:00'), to: slotAt(clinic, 3, '12:00') };
      const first = await callInSick(deps, act(), { ...absence, reason: 'family' }, idempotency);
      const again = await callInSick(deps, act(), { ...absence, reason: 'family' }, idempotency);
      expect(again).toEqual({ ...first, replayed: true });
      const over = { providerId, from: slotAt(clinic, -3, '08:00'), to: slotAt(clinic, -3, '12:00') };
      await expect(callInSick(deps, act(), { ...over, reason: 'family' })).rejects.toMatchObject({
        code: 'in_the_past',
      });
      const elsewhere = act({ clinicId: (await aClinic(database.owner)).clinicId });
      await expect(callInSick(deps, elsewhere, { ...absence, reason: 'family' })).rejects.toMatchObject({
        code: 'not_found',
      });
    });

    it('so that a visit booked in the same moment is on the list or refused', async () => {
      for (let round = 0; round < 8; round += 1) {
        await aPlace();
        const patients = await Promise.all(Array.from({ length: 8 }, () => aPatient(database.owner, clinic)));
        const times = ['09:00', '09:30', '10:00', '10:30', '11:00', '11:30', '12:00', '12:30'];
        const attempt = (index: number) => book({ patientId: patients[index] ?? '', time: times[index] ?? '' });
        const bookings = [0, 1, 2, 3].map(attempt);
        const calling = callIn();
        bookings.push(...[4, 5, 6, 7].map(attempt));
        const results = await Promise.allSettled(bookings);
        const booked = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.appointmentId] : []));
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'provider_away' });
        }
        const listed = (await itemsOf((await calling).sickDayId)).map((item) => item.appointment_id);
        expect(new Set(listed)).toEqual(new Set(booked));
      }
    });
  });

  describe('the next step', () => {
    it('holds the nearest time of a colleague of the same specialty on the same day', async () => {
      const visit = await book({ time: '10:00' });
      const colleague = await aProvider(database.owner, clinic, { specialty: 'general PRACTICE' });
      await aProvider(database.owner, clinic, { specialty: 'Dermatology' });
      await book({ providerId: colleague, time: '10:00' });
      const { sickDayId } = await callIn();

      await step(sickDayId, visit.appointmentId);
      await step(sickDayId, visit.appointmentId);

      const offers = await offersOf(visit.appointmentId);
      expect(offers).toHaveLength(1);
      expect(offers[0]).toMatchObject({
        step: 'colleague',
        provider_id: colleague,
        slot_start: slotAt(clinic, 3, '09:30'),
        state: 'OPEN',
        patient_id: visit.patientId,
      });
      const lasts = (offers[0]?.expires_at.getTime() ?? 0) - Date.now();
      expect(lasts).toBeGreaterThan(119 * MINUTE);
      expect(offers[0]?.expires_at.getTime()).toBeLessThan(visit.appointmentTime.getTime() - 24 * 60 * MINUTE);
      expect(await itemOf(sickDayId, visit.appointmentId)).toMatchObject({ state: 'OFFERED', step_index: 0 });
      expect(await reservationsOf(colleague)).toEqual(expect.arrayContaining(['APPOINTMENT', 'HOLD']));
      await expect(book({ providerId: colleague, time: '09:30' })).rejects.toMatchObject({ code: 'slot_taken' });
    });

    it('offers each patient another time, and none at which the patient is somewhere else', async () => {
      const colleague = await aProvider(database.owner, clinic);
      const third = await aProvider(database.owner, clinic, { specialty: 'Dermatology' });
      const first = await book({ time: '10:00' });
      await book({ time: '10:30', patientId: first.patientId, providerId: third });
      await book({ providerId: colleague, time: '10:00' });
      await book({ time: '09:30', patientId: first.patientId, providerId: third });
      const second = await book({ time: '10:30' });
      const { sickDayId } = await callIn();
      await step(sickDayId, second.appointmentId);
      await step(sickDayId, first.appointmentId);
      expect((await openOffer(second.appointmentId)).slot_start).toEqual(slotAt(clinic, 3, '10:30'));
      expect((await openOffer(first.appointmentId)).slot_start).toEqual(slotAt(clinic, 3, '09:00'));
    });

    it('goes on when an offer runs out: a second and a third time, then the waitlist and a call; the visit stands, whatever nobody has said', async () => {
      const colleague = await aProvider(database.owner, clinic);
      const visit = await book();
      const waiting = await aPatient(database.owner, clinic);
      const date = localDate(clinic.timeZone, visit.appointmentTime.getTime());
      await joinWaitlist(deps, act(), {
        patientId: waiting,
        providerId,
        durationMinutes: 30,
        earliestDate: addDays(date, -3),
        latestDate: addDays(date, 3),
        registersPatient: false,
      });
      const { sickDayId } = await callIn();

      await step(sickDayId, visit.appointmentId);
      expect(await due(sickDayId)).toEqual([]);
      await runOut((await openOffer(visit.appointmentId)).offer_id);
      expect(await due(sickDayId)).toEqual([visit.appointmentId]);
      await step(sickDayId, visit.appointmentId);
      expect(await reservationsOf(colleague)).toEqual([]);
      expect(await openOffer(visit.appointmentId)).toMatchObject({
        step: 'other_day',
        provider_id: providerId,
        slot_start: slotAt(clinic, 4, '10:00'),
      });
      await runOut((await openOffer(visit.appointmentId)).offer_id);
      await step(sickDayId, visit.appointmentId);
      const third = await openOffer(visit.appointmentId);
      expect(third).toMatchObject({ step: 'colleague', provider_id: colleague });
      expect(third.slot_start).not.toEqual(visit.appointmentTime);
      await runOut(third.offer_id);
      await step(sickDayId, visit.appointmentId);

      expect(await itemOf(sickDayId, visit.appointmentId)).toMatchObject({
        state: 'WAITLISTED',
        reason: 'not_accepted',
      });
      expect(await visitOf(visit.appointmentId)).toMatchObject({ status: 'SCHEDULED', provider_id: providerId });
      expect(await tasksOf(sickDayId)).toMatchObject([{ kind: 'call', state: 'OPEN', reason: 'not_accepted' }]);
      const entry = await database.owner.db
        .selectFrom('waitlist_entry')
        .selectAll()
        .where('patient_id', '=', visit.patientId)
        .executeTakeFirstOrThrow();
      expect(entry).toMatchObject({ provider_id: providerId, duration_minutes: 30, priority: 5, status: 'WAITING' });
      const rounds = await database.owner.db
        .selectFrom('waitlist_round')
        .select('round_id')
        .where('clinic_id', '=', clinic.clinicId)
        .execute();
      expect(rounds).toEqual([]);
      expect(await reservationsOf(providerId)).toEqual(['APPOINTMENT']);
      expect((await offersOf(visit.appointmentId)).map(({ state }) => state)).toEqual([
        'EXPIRED',
        'EXPIRED',
        'EXPIRED',
      ]);
    });

    it('makes an offer again that the patient was never told of', async () => {
      await aProvider(database.owner, clinic);
      const visit = await book();
      const { sickDayId } = await callIn();
      await step(sickDayId, visit.appointmentId);
      await runOut((await openOffer(visit.appointmentId)).offer_id, false);
      await step(sickDayId, visit.appointmentId);
      expect((await offersOf(visit.appointmentId)).map((offer) => [offer.step, offer.state])).toEqual([
        ['colleague', 'EXPIRED'],
        ['colleague', 'OPEN'],
      ]);
    });

    it('raises a wish that is there already instead of a second one', async () => {
      const visit = await book();
      const date = localDate(clinic.timeZone, visit.appointmentTime.getTime());
      const wish = await joinWaitlist(deps, act(), {
        patientId: visit.patientId,
        providerId,
        durationMinutes: 30,
        earliestDate: date,
        latestDate: date,
        registersPatient: false,
      });
      const { sickDayId } = await callIn({ steps: ['waitlist'] });
      await step(sickDayId, visit.appointmentId);
      const entries = await database.owner.db
        .selectFrom('waitlist_entry')
        .selectAll()
        .where('patient_id', '=', visit.patientId)
        .execute();
      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({ entry_id: wish.entry_id, priority: 5, latest_date: addDays(date, 14) });
    });

    it('is a call when nothing else is possible, and at once where nobody can be reached or it starts soon', async () => {
      const plain = await book({ time: '09:00' });
      const unreachable = await book({
        time: '10:00',
        patientId: await aPatient(database.owner, clinic, { phone: null, email: null }),
      });
      const soon = await book({ time: '11:00' });
      await aProvider(database.owner, clinic);
      const { sickDayId } = await callIn({ steps: ['call'] });
      const { sickDayId: other } = { sickDayId };
      await step(sickDayId, plain.appointmentId);
      await step(sickDayId, unreachable.appointmentId);
      await step(other, soon.appointmentId, new Date(soon.appointmentTime.getTime() - 35 * MINUTE));
      const reasons = new Map((await tasksOf(sickDayId)).map((task) => [task.appointment_id, task.reason]));
      expect(reasons).toEqual(
        new Map([
          [plain.appointmentId, 'no_slot'],
          [unreachable.appointmentId, 'no_contact'],
          [soon.appointmentId, 'starts_soon'],
        ]),
      );
      expect((await visitOf(plain.appointmentId)).status).toBe('SCHEDULED');
      const [task] = await tasksOf(sickDayId);
      const done = { taskId: task?.task_id ?? '', outcome: 'kept' } as const;
      await resolveTask(deps, act(), done);
      expect(await resolveTask(deps, act(), { ...done, outcome: 'moved' })).toMatchObject({
        state: 'RESOLVED',
        outcome: 'kept',
        resolved_by: 'desk',
      });
    });

    it('is a call no more once the visit is moved away, cancelled or begun by hand; moved within the absence it still is', async () => {
      const [moved, cancelled, begun, stays] = [
        await book({ time: '09:00' }),
        await book({ time: '10:00' }),
        await book({ time: '11:00' }),
        await book({ time: '14:00' }),
      ];
      const { sickDayId } = await callIn({ steps: ['call'] });
      for (const { appointmentId } of [moved, cancelled, begun, stays]) await step(sickDayId, appointmentId);
      expect((await tasksOf(sickDayId)).map(({ state }) => state)).toEqual(Array.from({ length: 4 }, () => 'OPEN'));

      const move = (visit: typeof moved, appointmentTime: Date) =>
        moveAppointment(deps, act(), {
          appointmentId: visit.appointmentId,
          expectedVersion: 1,
          appointmentTime,
          override: { rules: ['provider_away'], reason: 'comes in for it' },
        });
      await move(moved, slotAt(clinic, 5, '10:00'));
      await move(stays, slotAt(clinic, 3, '15:00'));
      await cancelAppointment(deps, act(), { appointmentId: cancelled.appointmentId, reason: 'patient_request' });
      await checkIn(deps, act({ now: begun.appointmentTime }), begun);

      const tasks = await tasksOf(sickDayId);
      expect(new Map(tasks.map((task) => [task.appointment_id, [task.state, task.outcome, task.resolved_by]]))).toEqual(
        new Map([
          [moved.appointmentId, ['RESOLVED', 'moved', 'desk']],
          [cancelled.appointmentId, ['RESOLVED', 'cancelled', 'desk']],
          [begun.appointmentId, ['RESOLVED', 'kept', 'desk']],
          [stays.appointmentId, ['OPEN', null, null]],
        ]),
      );
      const audits = await Promise.all(tasks.map((task) => inClinic((tx) => auditOf(tx, 'task', task.task_id))));
      expect(audits.map((events) => events.map(({ action }) => action))).toEqual(
        tasks.map(({ state }) => (state === 'RESOLVED' ? ['resolved'] : [])),
      );
    });

    it('of a visit that was moved is for the day it is on now, and so are its reminders', async () => {
      const visit = await book();
      await callIn();
      await moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 5, '10:00'),
      });
      const remind = async (kind: 'reminder:P3D' | 'reminder:P1D') => {
        const { notificationId } = await queued(visit, { kind, plannedFor: slotAt(clinic, 5, '10:00') });
        return inClinic((tx) => claimToSend(tx, { notificationId, now: new Date(), leaseMs: MINUTE }));
      };
      expect(await remind('reminder:P3D')).toMatchObject({ outcome: 'send' });
      const second = await callIn({ day: 5 });
      expect(second.affectedAppointments).toBe(1);
      expect(await remind('reminder:P1D')).toEqual({ outcome: 'skipped', reason: 'being_moved' });
    });

    it('takes back what a paused sick day has offered for the visit as it was', async () => {
      const colleague = await aProvider(database.owner, clinic);
      const visit = await book();
      const first = await callIn();
      await step(first.sickDayId, visit.appointmentId);
      await pauseSickDay(deps, act(), first);
      await moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 5, '10:00'),
      });
      const second = await callIn({ day: 5 });
      expect(second.affectedAppointments).toBe(1);
      await step(second.sickDayId, visit.appointmentId);
      expect((await offersOf(visit.appointmentId)).map((offer) => [offer.sick_day_id, offer.state])).toEqual([
        [first.sickDayId, 'WITHDRAWN'],
        [second.sickDayId, 'OPEN'],
      ]);
      expect(await reservationsOf(colleague)).toEqual(['HOLD']);
      await resumeSickDay(deps, act(), first);
      await step(first.sickDayId, visit.appointmentId);
      expect(await itemOf(first.sickDayId, visit.appointmentId)).toMatchObject({ state: 'GONE', reason: 'moved' });
      expect(await openOffer(visit.appointmentId)).toMatchObject({ sick_day_id: second.sickDayId });
    });

    it('finds the wish that the patient was entering in the same moment', async () => {
      const visit = await book();
      const date = localDate(clinic.timeZone, visit.appointmentTime.getTime());
      const { sickDayId } = await callIn({ steps: ['waitlist'] });
      let stepping: Promise<void> | undefined;
      await database.owner.db.transaction().execute(async (tx) => {
        await tx
          .insertInto('waitlist_entry')
          .values({
            entry_id: uuidV7(),
            clinic_id: clinic.clinicId,
            patient_id: visit.patientId,
            provider_id: providerId,
            specialty: null,
            duration_minutes: 30,
            earliest_date: date,
            latest_date: date,
            priority: 0,
            status: 'WAITING',
            booked_appointment_id: null,
          })
          .execute();
        stepping = step(sickDayId, visit.appointmentId);
        await eventually(async () => {
          const { rows } = await sql`select from pg_locks join pg_stat_activity using (pid)
            where datname = current_database() and locktype = 'transactionid' and not granted`.execute(
            database.owner.db,
          );
          expect(rows).toHaveLength(1);
        });
      });
      await stepping;
      expect(await itemOf(sickDayId, visit.appointmentId)).toMatchObject({ state: 'WAITLISTED' });
    });

    it('makes nobody late who cancels a visit in the absence', async () => {
      const [hit, late] = [await book(), await book({ providerId: await aProvider(database.owner, clinic) })];
      await callIn();
      for (const { appointmentId, appointmentTime } of [hit, late]) {
        const now = new Date(appointmentTime.getTime() - 60 * MINUTE);
        await cancelAppointment(deps, { ...asPatient(), now }, { appointmentId, reason: 'patient_request' });
      }
      expect((await visitOf(hit.appointmentId)).cancelled_late).toBe(false);
      expect((await visitOf(late.appointmentId)).cancelled_late).toBe(true);
    });

    it('leaves alone what somebody has moved, cancelled or begun meanwhile', async () => {
      const moved = await book({ time: '09:00' });
      const cancelled = await book({ time: '10:00' });
      const begun = await book({ time: '11:00' });
      const { sickDayId } = await callIn();
      await moveAppointment(deps, act(), {
        appointmentId: moved.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 5, '09:00'),
      });
      await cancelAppointment(deps, act(), { appointmentId: cancelled.appointmentId, reason: 'patient_request' });
      await step(sickDayId, moved.appointmentId);
      await step(sickDayId, cancelled.appointmentId);
      await step(sickDayId, begun.appointmentId, begun.appointmentTime);
      expect((await itemsOf(sickDayId)).map(({ state, reason }) => [state, reason])).toEqual([
        ['GONE', 'moved'],
        ['GONE', 'cancelled'],
        ['GONE', 'begun'],
      ]);
    });

    it('is taken once, however many take it at once', async () => {
      const colleague = await aProvider(database.owner, clinic);
      const visits = [];
      for (const time of ['09:00', '09:30', '10:00', '10:30']) visits.push(await book({ time }));
      const { sickDayId } = await callIn();
      await Promise.all(visits.flatMap(({ appointmentId }) => [1, 2, 3].map(() => step(sickDayId, appointmentId))));
      for (const { appointmentId } of visits) expect(await offersOf(appointmentId)).toHaveLength(1);
      expect(await reservationsOf(colleague)).toEqual(['HOLD', 'HOLD', 'HOLD', 'HOLD']);
    });
  });

  describe('an offer', () => {
    const anOffer = async (policy: Partial<ClinicPolicy> = {}) => {
      await aPlace(policy);
      const colleague = await aProvider(database.owner, clinic);
      const visit = await book();
      const { sickDayId } = await callIn();
      await step(sickDayId, visit.appointmentId);
      const offer = await openOffer(visit.appointmentId);
      return { ...visit, sickDayId, colleague, offer, offerId: offer.offer_id };
    };

    it('is accepted: the visit is where it was held, whatever the limits on moving', async () => {
      const given = await anOffer({
        moveNoticeMinutes: 7 * 24 * 60,
        maxMovesPerAppointment: 0,
        maxUpcomingPerProviderAndPatient: 1,
      });
      await book({ patientId: given.patientId, providerId: given.colleague, days: 9 });
      const answer = await acceptOffer(deps, asPatient(), given);
      expect(answer).toMatchObject({ state: 'ACCEPTED', answered_at: expect.any(Date) });
      expect(await visitOf(given.appointmentId)).toMatchObject({
        status: 'SCHEDULED',
        provider_id: given.colleague,
        appointment_time: given.offer.slot_start,
        version: 2,
        moves: 0,
        override_rules: [],
      });
      expect(await itemOf(given.sickDayId, given.appointmentId)).toMatchObject({ state: 'MOVED', reason: 'colleague' });
      expect(await told(given.sickDayId)).toEqual(['requested', 'answered']);
      expect((await reservationsOf(given.colleague)).sort()).toEqual(['APPOINTMENT', 'APPOINTMENT']);
      expect(await reservationsOf(providerId)).toEqual([]);
      expect(await acceptOffer(deps, asPatient(), given)).toMatchObject({ state: 'ACCEPTED' });
      await expect(declineOffer(deps, asPatient(), given)).rejects.toMatchObject({ code: 'offer_closed' });
      expect((await visitOf(given.appointmentId)).version).toBe(2);
    });

    it('is declined: the time is free at once, and the next step has its turn', async () => {
      const given = await anOffer();
      await declineOffer(deps, asPatient(), given);
      await declineOffer(deps, asPatient(), given);
      expect(await reservationsOf(given.colleague)).toEqual([]);
      expect(await due(given.sickDayId)).toEqual([given.appointmentId]);
      await expect(acceptOffer(deps, asPatient(), given)).rejects.toMatchObject({ code: 'offer_closed' });
      await step(given.sickDayId, given.appointmentId);
      expect((await openOffer(given.appointmentId)).step).toBe('other_day');
      expect(await told(given.sickDayId)).toEqual(['requested', 'answered']);
    });

    it('cannot be answered once it has run out, nor when the visit was changed since', async () => {
      const late = await anOffer();
      await runOut(late.offerId);
      await expect(acceptOffer(deps, asPatient(), late)).rejects.toMatchObject({ code: 'offer_closed' });
      await expect(declineOffer(deps, asPatient(), late)).rejects.toMatchObject({ code: 'offer_closed' });

      const elsewhere = await anOffer();
      await moveAppointment(deps, act(), {
        appointmentId: elsewhere.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 6, '09:00'),
      });
      await expect(acceptOffer(deps, asPatient(), elsewhere)).rejects.toMatchObject({ code: 'offer_closed' });
      expect(await visitOf(elsewhere.appointmentId)).toMatchObject({ appointment_time: slotAt(clinic, 6, '09:00') });
    });

    it('is withdrawn, and its time given back, as soon as somebody moves, cancels or begins the visit by hand', async () => {
      const byHand: readonly [
        reason: string,
        act: (visit: { appointmentId: string; appointmentTime: Date }) => Promise<unknown>,
      ][] = [
        [
          'moved',
          ({ appointmentId }) =>
            moveAppointment(deps, act(), {
              appointmentId,
              expectedVersion: 1,
              appointmentTime: slotAt(clinic, 6, '09:00'),
            }),
        ],
        ['cancelled', (visit) => cancelAppointment(deps, act(), { ...visit, reason: 'patient_request' })],
        ['begun', (visit) => checkIn(deps, act({ now: visit.appointmentTime }), visit)],
      ];
      for (const [reason, change] of byHand) {
        const given = await anOffer();
        expect(await due(given.sickDayId)).toEqual([]);
        await change(given);
        expect(await told(given.sickDayId)).toEqual(['requested', 'visitChanged']);
        expect(await itemOf(given.sickDayId, given.appointmentId)).toMatchObject({ state: 'GONE', reason });
        expect((await offersOf(given.appointmentId)).map(({ state }) => state)).toEqual(['WITHDRAWN']);
        expect(await reservationsOf(given.colleague)).toEqual([]);
        expect(await due(given.sickDayId)).toEqual([]);
      }
    });

    it('stands in nobody’s way who moves the visit to the very time that it holds', async () => {
      const given = await anOffer();
      const { provider_id: offeredProvider, slot_start: appointmentTime } = given.offer;
      await moveAppointment(deps, asPatient(), {
        appointmentId: given.appointmentId,
        expectedVersion: 1,
        appointmentTime,
        providerId: offeredProvider,
      });
      expect(await visitOf(given.appointmentId)).toMatchObject({
        provider_id: given.colleague,
        appointment_time: appointmentTime,
        moves: 1,
      });
      expect((await offersOf(given.appointmentId)).map(({ state }) => state)).toEqual(['WITHDRAWN']);
      expect(await reservationsOf(given.colleague)).toEqual(['APPOINTMENT']);
      expect(await itemOf(given.sickDayId, given.appointmentId)).toMatchObject({ state: 'GONE', reason: 'moved' });
    });

    it('stands in nobody’s way who moves a series to it', async () => {
      await aPlace();
      const colleague = await aProvider(database.owner, clinic);
      const patientId = await aPatient(database.owner, clinic);
      const { appointments } = await bookSeries(
        deps,
        act(),
        {
          patientId,
          providerId,
          appointmentTime: slotAt(clinic, 3, '10:00'),
          durationMinutes: 30,
          everyWeeks: 1,
          count: 3,
          registersPatient: false,
        },
        undefined,
      );
      const [appointmentId, ...later] = appointments.map((visit) => visit.appointmentId) as [string, ...string[]];
      const { sickDayId } = await callIn();
      await step(sickDayId, appointmentId);
      const { slot_start: appointmentTime, provider_id: providerOffered } = await openOffer(appointmentId);
      await moveSeries(deps, act(), {
        appointmentId,
        expectedVersion: 1,
        appointmentTime,
        providerId: providerOffered,
      });
      for (const each of [appointmentId, ...later]) expect((await visitOf(each)).provider_id).toBe(colleague);
      expect(await reservationsOf(colleague)).toEqual(['APPOINTMENT', 'APPOINTMENT', 'APPOINTMENT']);
      expect(await itemOf(sickDayId, appointmentId)).toMatchObject({ state: 'GONE', reason: 'moved' });
      expect(await told(sickDayId)).toEqual(['requested', 'visitChanged']);
    });

    it('leads to a call as soon as the message about it has failed', async () => {
      const given = await anOffer();
      const { notificationId } = await queued(given, { kind: 'move_offer', offerId: given.offerId });
      await inClinic((tx) => markOfferTold(tx, given.offerId));
      expect(await due(given.sickDayId)).toEqual([]);
      await inClinic((tx) => failWaiting(tx, { notificationId, reason: '21211' }));
      expect(await told(given.sickDayId)).toEqual(['requested', 'notificationSettled']);
      expect(await due(given.sickDayId)).toEqual([given.appointmentId]);
      await step(given.sickDayId, given.appointmentId);
      expect(await itemOf(given.sickDayId, given.appointmentId)).toMatchObject({
        state: 'CALL',
        reason: 'message_failed',
      });
      expect(await reservationsOf(given.colleague)).toEqual([]);
      expect(await unreachable(given.sickDayId)).toEqual([given.appointmentId]);
    });

    it('is withdrawn when the colleague whose time it is goes away too, and another is looked for', async () => {
      const given = await anOffer();
      const third = await aProvider(database.owner, clinic);
      await callIn({ providerId: given.colleague });
      expect(await told(given.sickDayId)).toEqual(['requested', 'visitChanged']);
      await expect(acceptOffer(deps, asPatient(), given)).rejects.toMatchObject({ code: 'offer_closed' });
      await step(given.sickDayId, given.appointmentId);
      expect(await openOffer(given.appointmentId)).toMatchObject({ step: 'colleague', provider_id: third });
      expect(await reservationsOf(given.colleague)).toEqual([]);
    });

    it('is withdrawn when a change of the schedule takes its time away, and another is looked for; no other change touches it', async () => {
      const day = (given: Date) => localDate(clinic.timeZone, given.getTime());
      const asRead = (provider: string) =>
        database.owner.db
          .selectFrom('provider')
          .innerJoin('clinic', 'clinic.clinic_id', 'provider.clinic_id')
          .select(['schedule_version', 'policy', 'policy_version'])
          .where('provider_id', '=', provider)
          .executeTakeFirstOrThrow();
      const hours = async (colleague: string, startTime: string) =>
        changeHours(deps, act(), {
          providerId: colleague,
          expectedVersion: (await asRead(colleague)).schedule_version,
          weekly: [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, startTime, endTime: '17:00' })),
          breaks: [],
        });
      const closed = (date: string) =>
        addClosure(deps, act(), { fromDate: date, toDate: date, name: 'x', yearly: false });
      const changes: readonly [
        what: string,
        left: 'WITHDRAWN' | 'OPEN',
        change: (colleague: string, at: Date) => Promise<unknown>,
      ][] = [
        ['a closure', 'WITHDRAWN', (_, at) => closed(day(at))],
        ['a closure of another day', 'OPEN', (_, at) => closed(addDays(day(at), 1))],
        [
          'imported closures',
          'WITHDRAWN',
          (_, at) =>
            importClosures(deps, act(), [
              { uid: 'holiday', closures: [{ fromDate: day(at), toDate: day(at), name: 'x', yearly: false }] },
            ]),
        ],
        ['later hours', 'WITHDRAWN', (colleague) => hours(colleague, '13:00')],
        ['hours with the time in them', 'OPEN', (colleague) => hours(colleague, '08:00')],
        [
          'a date without hours',
          'WITHDRAWN',
          (colleague, at) => overrideDate(deps, act(), { providerId: colleague, date: day(at), windows: [] }),
        ],
        [
          'other hours of another provider',
          'OPEN',
          (_, at) => overrideDate(deps, act(), { providerId, date: day(at), windows: [] }),
        ],
        [
          'a notice of a month',
          'WITHDRAWN',
          async (colleague) => {
            const { policy, policy_version: expectedVersion } = await asRead(colleague);
            await changePolicy(deps, act(), { expectedVersion, policy: { ...policy, bookingNoticeMinutes: 43_200 } });
          },
        ],
      ];
      for (const [what, left, change] of changes) {
        const given = await anOffer();
        await change(given.colleague, given.offer.slot_start);
        expect([what, ...(await offersOf(given.appointmentId)).map(({ state }) => state)]).toEqual([what, left]);
        expect(await reservationsOf(given.colleague)).toEqual(left === 'OPEN' ? ['HOLD'] : []);
        expect(await told(given.sickDayId)).toEqual(left === 'OPEN' ? ['requested'] : ['requested', 'visitChanged']);
        expect(await due(given.sickDayId)).toEqual(left === 'OPEN' ? [] : [given.appointmentId]);
      }
    });

    it('is made again for a visit that was moved and is still hit', async () => {
      const given = await anOffer();
      await moveAppointment(deps, act(), {
        appointmentId: given.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 3, '11:00'),
        override: { rules: ['provider_away'], reason: 'the patient asked for eleven' },
      });
      await step(given.sickDayId, given.appointmentId);
      expect((await offersOf(given.appointmentId)).map((offer) => [offer.step, offer.state, offer.slot_start])).toEqual(
        [
          ['colleague', 'WITHDRAWN', slotAt(clinic, 3, '10:00')],
          ['colleague', 'OPEN', slotAt(clinic, 3, '11:00')],
        ],
      );
      expect(await reservationsOf(given.colleague)).toEqual(['HOLD']);
      expect(await due(given.sickDayId)).toEqual([]);
    });

    it('is accepted or declined or runs out, and never two of these', async () => {
      for (let round = 0; round < 10; round += 1) {
        const given = await anOffer();
        const results = await Promise.allSettled([
          acceptOffer(deps, asPatient(), given),
          declineOffer(deps, asPatient(), given),
          acceptOffer(deps, act(), given),
          step(given.sickDayId, given.appointmentId, new Date(given.offer.expires_at.getTime() + round * MINUTE)),
        ]);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'offer_closed' });
        }
        const [first] = await offersOf(given.appointmentId);
        const visit = await visitOf(given.appointmentId);
        const item = await itemOf(given.sickDayId, given.appointmentId);
        const isMoved = first?.state === 'ACCEPTED';
        expect(visit.provider_id).toBe(isMoved ? given.colleague : providerId);
        expect(item?.state === 'MOVED').toBe(isMoved);
        expect(await reservationsOf(given.colleague)).toEqual(isMoved ? ['APPOINTMENT'] : []);
      }
    });

    it('shows a patient their own, and nobody else’s', async () => {
      const given = await anOffer();
      const seenBy = (patientId: string) =>
        inContext(database.app.db, { patientId }, (tx) => tx.selectFrom('offer').select('offer_id').execute());
      expect(await seenBy(given.patientId)).toEqual([{ offer_id: given.offerId }]);
      expect(await seenBy(await aPatient(database.owner, clinic))).toEqual([]);
      for (const table of ['sick_day', 'sick_day_item', 'task'] as const) {
        const rows = await inContext(database.app.db, { patientId: given.patientId }, (tx) =>
          tx.selectFrom(table).select('clinic_id').execute(),
        );
        expect(rows).toEqual([]);
      }
    });
  });

  describe('is told to', () => {
    it('pause: nothing new is offered, what is out can be answered, and it goes on', async () => {
      await aProvider(database.owner, clinic);
      const [first, second] = [await book({ time: '09:00' }), await book({ time: '10:00' })];
      const { sickDayId } = await callIn();
      await step(sickDayId, first.appointmentId);
      await pauseSickDay(deps, act(), { sickDayId });
      await pauseSickDay(deps, act(), { sickDayId });
      await step(sickDayId, second.appointmentId);
      expect(await offersOf(second.appointmentId)).toEqual([]);
      await acceptOffer(deps, asPatient(), { offerId: (await openOffer(first.appointmentId)).offer_id });
      await resumeSickDay(deps, act(), { sickDayId });
      await step(sickDayId, second.appointmentId);
      expect(await offersOf(second.appointmentId)).toHaveLength(1);
      expect(await told(sickDayId)).toEqual(['requested', 'paused', 'answered', 'resumed']);
    });

    it('stop: offers are withdrawn, times given back, and what was not dealt with says so and stays booked', async () => {
      const colleague = await aProvider(database.owner, clinic);
      const visits = [await book({ time: '09:00' }), await book({ time: '10:00' }), await book({ time: '11:00' })];
      const [moved, offered, pending] = visits.map(({ appointmentId }) => appointmentId) as [string, string, string];
      const { sickDayId } = await callIn();
      await step(sickDayId, moved);
      await step(sickDayId, offered);
      await acceptOffer(deps, asPatient(), { offerId: (await openOffer(moved)).offer_id });
      const { offer_id: offerId } = await openOffer(offered);

      await stopSickDay(deps, act(), { sickDayId });
      expect(await stopSickDay(deps, act(), { sickDayId })).toMatchObject({ state: 'STOPPED' });

      expect((await itemsOf(sickDayId)).map(({ state }) => state)).toEqual(['MOVED', 'STOPPED', 'STOPPED']);
      expect((await visitOf(pending)).status).toBe('SCHEDULED');
      expect(await reservationsOf(colleague)).toEqual(['APPOINTMENT']);
      await expect(acceptOffer(deps, asPatient(), { offerId })).rejects.toMatchObject({
        code: 'offer_closed',
      });
      await expect(resumeSickDay(deps, act(), { sickDayId })).rejects.toMatchObject({ code: 'sick_day_ended' });
      await step(sickDayId, pending);
      expect(await offersOf(pending)).toEqual([]);
    });

    it('stop by taking its time off back: nobody is moved or cancelled after that', async () => {
      const colleague = await aProvider(database.owner, clinic);
      const [offered, pending] = [await book({ time: '09:00' }), await book({ time: '10:00' })];
      const { sickDayId } = await callIn();
      await step(sickDayId, offered.appointmentId);
      const { time_off_id: timeOffId } = await database.owner.db
        .selectFrom('sick_day')
        .select('time_off_id')
        .where('sick_day_id', '=', sickDayId)
        .executeTakeFirstOrThrow();

      await removeTimeOff(deps, act(), { providerId, timeOffId });

      expect((await itemsOf(sickDayId)).map(({ state }) => state)).toEqual(['STOPPED', 'STOPPED']);
      expect(await told(sickDayId)).toEqual(['requested', 'stopped']);
      expect(await reservationsOf(colleague)).toEqual([]);
      for (const { appointmentId } of [offered, pending]) {
        await step(sickDayId, appointmentId);
        expect(await visitOf(appointmentId)).toMatchObject({ status: 'SCHEDULED', provider_id: providerId });
      }
    });

    it('leave alone a visit that no time off covers any more, however it went', async () => {
      const visit = await book();
      const { sickDayId } = await callIn();
      await database.owner.db.deleteFrom('time_off').where('provider_id', '=', providerId).execute();
      await step(sickDayId, visit.appointmentId);
      expect(await itemOf(sickDayId, visit.appointmentId)).toMatchObject({ state: 'GONE', reason: 'back_again' });
      expect(await visitOf(visit.appointmentId)).toMatchObject({ status: 'SCHEDULED' });
    });

    it('pause, and meanwhile somebody sees to visits by hand: they are on nobody’s list any more, and stopping it says so', async () => {
      await aProvider(database.owner, clinic);
      const visits = [];
      for (const time of ['09:00', '10:00', '11:00', '14:00']) visits.push(await book({ time }));
      const [cancelled, moved, begun, left] = visits as readonly Booked[] as [Booked, Booked, Booked, Booked];
      const { sickDayId } = await callIn();
      await step(sickDayId, moved.appointmentId);
      await pauseSickDay(deps, act(), { sickDayId });
      await cancelAppointment(deps, act(), { appointmentId: cancelled.appointmentId, reason: 'other' });
      await moveAppointment(deps, act(), {
        appointmentId: moved.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 5, '10:00'),
      });
      await checkIn(deps, act({ now: begun.appointmentTime }), begun);

      const states = async () =>
        new Map((await itemsOf(sickDayId)).map((item) => [item.appointment_id, [item.state, item.reason]]));
      const seenTo: [string, [string, string | null]][] = [
        [cancelled.appointmentId, ['GONE', 'cancelled']],
        [moved.appointmentId, ['GONE', 'moved']],
        [begun.appointmentId, ['GONE', 'begun']],
      ];
      expect(await states()).toEqual(new Map([...seenTo, [left.appointmentId, ['PENDING', null]]]));
      await stopSickDay(deps, act(), { sickDayId });
      expect(await states()).toEqual(new Map([...seenTo, [left.appointmentId, ['STOPPED', null]]]));
    });

    it('stop, while visits are seen to by hand: one that has been is never said to be not dealt with', async () => {
      for (let round = 0; round < 6; round += 1) {
        await aPlace();
        const colleague = await aProvider(database.owner, clinic);
        const visits = [];
        for (const time of ['09:00', '10:00', '11:00', '14:00']) visits.push(await book({ time }));
        const [cancelled, moved, begun, left] = visits as readonly Booked[] as [Booked, Booked, Booked, Booked];
        const { sickDayId } = await callIn();
        for (const { appointmentId } of [moved, begun]) await step(sickDayId, appointmentId);
        await Promise.all([
          cancelAppointment(deps, act(), { appointmentId: cancelled.appointmentId, reason: 'other' }),
          moveAppointment(deps, act(), {
            appointmentId: moved.appointmentId,
            expectedVersion: 1,
            appointmentTime: slotAt(clinic, 5, '10:00'),
          }),
          checkIn(deps, act({ now: begun.appointmentTime }), begun),
          stopSickDay(deps, act(), { sickDayId }),
        ]);
        const states = new Map((await itemsOf(sickDayId)).map((item) => [item.appointment_id, item.state]));
        expect([cancelled, moved, begun, left].map(({ appointmentId }) => states.get(appointmentId))).toEqual([
          'GONE',
          'GONE',
          'GONE',
          'STOPPED',
        ]);
        expect((await offersOf(moved.appointmentId)).map(({ state }) => state)).toEqual(['WITHDRAWN']);
        expect(await reservationsOf(colleague)).toEqual([]);
      }
    });

    it('stop, while steps are taken and offers answered: no time stays held and nobody is left with an open question', async () => {
      for (let round = 0; round < 6; round += 1) {
        await aPlace();
        const colleague = await aProvider(database.owner, clinic);
        const visits = [];
        for (const time of ['09:00', '09:30', '10:00', '10:30', '11:00']) visits.push(await book({ time }));
        const { sickDayId } = await callIn();
        const [first] = visits;
        await step(sickDayId, first?.appointmentId ?? '');
        const offer = await openOffer(first?.appointmentId ?? '');
        const results = await Promise.allSettled([
          ...visits.map(({ appointmentId }) => step(sickDayId, appointmentId)),
          acceptOffer(deps, asPatient(), { offerId: offer.offer_id }),
          stopSickDay(deps, act(), { sickDayId }),
        ]);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'offer_closed' });
        }
        const states = (await itemsOf(sickDayId)).map(({ state }) => state);
        expect(new Set([...states, 'MOVED', 'STOPPED'])).toEqual(new Set(['MOVED', 'STOPPED']));
        const isMoved = states.includes('MOVED');
        expect(await reservationsOf(colleague)).toEqual(isMoved ? ['APPOINTMENT'] : []);
      }
    });
  });
});
