import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { placeHold } from '../../../src/scheduling/claims/hold.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { joinWaitlist, leaveWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('changing an appointment', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const act = (now = new Date()): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now });
  const book = async (given: { providerId?: string; patientId?: string; days?: number; time?: string } = {}) => {
    const providerId = given.providerId ?? (await aProvider(database.owner, clinic));
    const patientId = given.patientId ?? (await aPatient(database.owner, clinic));
    const appointmentTime = slotAt(clinic, given.days ?? 5, given.time ?? '10:00');
    const booked = await bookAppointment(deps, act(), {
      patientId,
      providerId,
      appointmentTime,
      durationMinutes: 30,
      registersPatient: false,
    });
    return { ...booked, providerId, patientId, appointmentTime };
  };
  const wait = async (wish: {
    providerId?: string;
    specialty?: string;
    patientId?: string;
    priority?: number;
    latestInDays?: number;
    durationMinutes?: number;
  }) => {
    const patientId = wish.patientId ?? (await aPatient(database.owner, clinic));
    const today = localDate(clinic.timeZone, Date.now());
    return joinWaitlist(deps, act(), {
      patientId,
      ...(wish.providerId === undefined
        ? { specialty: wish.specialty ?? 'General practice' }
        : { providerId: wish.providerId }),
      durationMinutes: wish.durationMinutes ?? 30,
      earliestDate: today,
      latestDate: addDays(today, wish.latestInDays ?? 30),
      priority: wish.priority ?? 0,
      registersPatient: false,
    });
  };
  const reservations = async (resourceId: string) => {
    const { rows } = await sql<{
      purpose: string;
      from_time: Date;
    }>`select purpose, lower(during) as from_time from reservation
      where resource_id = ${resourceId} order by lower(during)`.execute(database.owner.db);
    return rows.map((row) => `${row.purpose} ${row.from_time.toISOString()}`);
  };
  const events = async (appointmentId: string) => {
    const rows = await database.owner.db
      .selectFrom('outbox')
      .select(['event', 'version'])
      .where('aggregate_id', '=', appointmentId)
      .orderBy('outbox_id')
      .execute();
    return rows.map((row) => `${row.event} ${row.version ?? '-'}`);
  };

  describe('moving', () => {
    it('keeps the identity, frees the old time, takes the new one and tells the workflow', async () => {
      const visit = await book();
      const to = slotAt(clinic, 6, '11:00');
      const moved = await moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: to,
      });
      expect(moved).toMatchObject({
        appointment_id: visit.appointmentId,
        version: 2,
        time_set_version: 2,
        confirmation_code: visit.confirmationCode,
      });
      expect(await reservations(visit.providerId)).toEqual([`APPOINTMENT ${to.toISOString()}`]);
      expect(await reservations(visit.patientId)).toEqual([`APPOINTMENT ${to.toISOString()}`]);
      expect(await events(visit.appointmentId)).toEqual(['booked 1', 'rescheduled 2']);
    });

    it('may overlap its own old time', async () => {
      const visit = await book();
      const moved = await moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 5, '10:15'),
      });
      expect(moved.version).toBe(2);
    });

    it('changes nothing at all when the new time is taken', async () => {
      const providerId = await aProvider(database.owner, clinic);
      const visit = await book({ providerId });
      await book({ providerId, time: '14:00' });
      await expect(
        moveAppointment(deps, act(), {
          appointmentId: visit.appointmentId,
          expectedVersion: 1,
          appointmentTime: slotAt(clinic, 5, '14:00'),
        }),
      ).rejects.toMatchObject({ code: 'slot_taken' });
      expect(await reservations(visit.patientId)).toEqual([`APPOINTMENT ${visit.appointmentTime.toISOString()}`]);
      expect(await events(visit.appointmentId)).toEqual(['booked 1']);
    });

    it('lets one of eight racers move onto a slot', async () => {
      const providerId = await aProvider(database.owner, clinic);
      const visits = await Promise.all(
        ['08:00', '09:00', '10:00', '11:00', '12:00', '13:00', '14:00', '15:00'].map((time) =>
          book({ providerId, time }),
        ),
      );
      const results = await Promise.allSettled(
        visits.map((visit) =>
          moveAppointment(deps, act(), {
            appointmentId: visit.appointmentId,
            expectedVersion: 1,
            appointmentTime: slotAt(clinic, 5, '16:30'),
          }),
        ),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      expect(await reservations(providerId)).toHaveLength(8);
    });

    it('refuses a stale version', async () => {
      const visit = await book();
      await expect(
        moveAppointment(deps, act(), {
          appointmentId: visit.appointmentId,
          expectedVersion: 7,
          appointmentTime: slotAt(clinic, 6, '10:00'),
        }),
      ).rejects.toMatchObject({ code: 'version_mismatch' });
    });
  });

  describe('cancelling', () => {
    it('frees the time, marks a late one, and repeating it changes nothing', async () => {
      const visit = await book({ days: 1, time: '17:00' });
      const lateInTheDay = act(new Date(visit.appointmentTime.getTime() - 3 * 3_600_000));
      const first = await cancelAppointment(deps, lateInTheDay, {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      const again = await cancelAppointment(deps, lateInTheDay, {
        appointmentId: visit.appointmentId,
        reason: 'other',
        expectedVersion: 1,
      });
      expect([first.version, again]).toEqual([2, { version: 2, alreadyCancelled: true }]);
      const row = await database.owner.db
        .selectFrom('appointment')
        .selectAll()
        .where('appointment_id', '=', visit.appointmentId)
        .executeTakeFirstOrThrow();
      expect(row).toMatchObject({
        status: 'CANCELLED',
        cancel_reason: 'patient_request',
        cancelled_by: 'staff',
        cancelled_late: true,
      });
      expect(await reservations(visit.providerId)).toEqual([]);
      expect(await events(visit.appointmentId)).toEqual(['booked 1', 'cancelled 2']);
    });

    it('refuses once the visit has begun', async () => {
      const visit = await book();
      const during = act(new Date(visit.appointmentTime.getTime() + 60_000));
      await expect(
        cancelAppointment(deps, during, { appointmentId: visit.appointmentId, reason: 'other' }),
      ).rejects.toMatchObject({ code: 'visit_begun' });
    });

    it('does not show another clinic’s appointment', async () => {
      const visit = await book();
      const elsewhere = await aClinic(database.owner);
      await expect(
        cancelAppointment(
          deps,
          { ...act(), clinicId: elsewhere.clinicId },
          { appointmentId: visit.appointmentId, reason: 'other' },
        ),
      ).rejects.toMatchObject({ code: 'not_found' });
    });

    it('has one legal outcome when it races with a move', async () => {
      for (let round = 0; round < 10; round += 1) {
        const visit = await book();
        const [cancelled, moved] = await Promise.allSettled([
          cancelAppointment(deps, act(), { appointmentId: visit.appointmentId, reason: 'other' }),
          moveAppointment(deps, act(), {
            appointmentId: visit.appointmentId,
            expectedVersion: 1,
            appointmentTime: slotAt(clinic, 6, '10:00'),
          }),
        ]);
        expect(cancelled.status).toBe('fulfilled');
        if (moved.status === 'rejected') expect(moved.reason).toMatchObject({ code: 'version_mismatch' });
        expect(await reservations(visit.providerId)).toEqual([]);
        expect(await reservations(visit.patientId)).toEqual([]);
      }
    });
  });

  describe('the waitlist', () => {
    it('books whoever waits for the specialty, whatever its capitals then and now', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Nephrology' });
      const visit = await book({ providerId });
      const waiting = await wait({ specialty: 'nephrology' });
      expect(waiting.specialty).toBe('Nephrology');
      await expect(wait({ specialty: 'NEPHROLOGY', patientId: waiting.patient_id })).rejects.toMatchObject({
        code: 'already_waiting',
      });
      await database.owner.db
        .updateTable('provider')
        .set({ specialty: 'NEPHROLOGY' })
        .where('provider_id', '=', providerId)
        .execute();
      const { roundId } = await cancelAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      expect(await fillRound(deps, act(), { roundId: roundId ?? '' })).toMatchObject({
        outcome: 'filled',
        entryId: waiting.entry_id,
      });
    });

    it('keeps a freed slot for its round when somebody waits, and books the best of them into it', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Dermatology' });
      const visit = await book({ providerId });
      const longest = await wait({ specialty: 'Dermatology' });
      const urgent = await wait({ providerId, priority: 5 });
      const { roundId } = await cancelAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      expect(await reservations(providerId)).toEqual([`WAITLIST ${visit.appointmentTime.toISOString()}`]);
      await expect(book({ providerId })).rejects.toMatchObject({ code: 'slot_taken' });

      const result = await fillRound(deps, act(), { roundId: roundId ?? '' });
      expect(result).toMatchObject({ outcome: 'filled', entryId: urgent.entry_id });
      expect(await reservations(providerId)).toEqual([`APPOINTMENT ${visit.appointmentTime.toISOString()}`]);
      expect(await reservations(urgent.patient_id)).toEqual([`APPOINTMENT ${visit.appointmentTime.toISOString()}`]);
      expect(await fillRound(deps, act(), { roundId: roundId ?? '' })).toEqual({ outcome: 'closed' });
      const still = await database.owner.db
        .selectFrom('waitlist_entry')
        .select('status')
        .where('entry_id', '=', longest.entry_id)
        .executeTakeFirst();
      expect(still?.status).toBe('WAITING');
      if (result.outcome === 'filled') expect(await events(result.appointmentId)).toEqual(['booked 1']);
    });

    it('gets the part of the old time that a move leaves free, when a visit fits into it', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Orthopaedics' });
      const visit = await book({ providerId });
      const entry = await joinWaitlist(deps, act(), {
        patientId: await aPatient(database.owner, clinic),
        providerId,
        durationMinutes: 15,
        earliestDate: localDate(clinic.timeZone, Date.now()),
        latestDate: addDays(localDate(clinic.timeZone, Date.now()), 30),
        registersPatient: false,
      });
      const move = (expectedVersion: number, time: string) =>
        moveAppointment(deps, act(), {
          appointmentId: visit.appointmentId,
          expectedVersion,
          appointmentTime: slotAt(clinic, 5, time),
        });
      await move(1, '10:15');
      expect(await reservations(providerId)).toEqual([
        `WAITLIST ${visit.appointmentTime.toISOString()}`,
        `APPOINTMENT ${slotAt(clinic, 5, '10:15').toISOString()}`,
      ]);
      const round = await database.owner.db
        .selectFrom('waitlist_round')
        .select(['round_id', 'slot_start', 'duration_minutes'])
        .where('freed_appointment_id', '=', visit.appointmentId)
        .executeTakeFirstOrThrow();
      expect(round).toMatchObject({ slot_start: visit.appointmentTime, duration_minutes: 15 });
      expect(await fillRound(deps, act(), { roundId: round.round_id })).toMatchObject({
        outcome: 'filled',
        entryId: entry.entry_id,
      });
    });

    it('passes over a patient who has too many visits ahead', async () => {
      const strict = await aClinic(database.owner, { policy: { maxUpcomingPerPatient: 1 } });
      const there = { ...act(), clinicId: strict.clinicId };
      const providerId = await aProvider(database.owner, strict);
      const patients = await Promise.all([1, 2, 3].map(() => aPatient(database.owner, strict)));
      const [leaves = '', hasOne = '', hasNone = ''] = patients;
      const visitOf = (patientId: string, time: string) =>
        bookAppointment(deps, there, {
          patientId,
          providerId,
          appointmentTime: slotAt(strict, 5, time),
          durationMinutes: 30,
          registersPatient: false,
        });
      const { appointmentId } = await visitOf(leaves, '10:00');
      await visitOf(hasOne, '12:00');
      for (const [patientId, priority] of [
        [hasOne, 9],
        [hasNone, 0],
      ] as const) {
        await joinWaitlist(deps, there, {
          patientId,
          providerId,
          durationMinutes: 30,
          earliestDate: localDate(strict.timeZone, Date.now()),
          latestDate: addDays(localDate(strict.timeZone, Date.now()), 30),
          priority,
          registersPatient: false,
        });
      }
      const { roundId = '' } = await cancelAppointment(deps, there, { appointmentId, reason: 'other' });
      const filled = await fillRound(deps, there, { roundId });
      expect(filled.outcome).toBe('filled');
      const booked = await database.owner.db
        .selectFrom('appointment')
        .select('patient_id')
        .where('appointment_id', '=', filled.outcome === 'filled' ? filled.appointmentId : '')
        .executeTakeFirst();
      expect(booked?.patient_id).toBe(hasNone);
    });

    it('passes over a visit that is too long for the end of the day and books one that fits', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Neurology' });
      const { appointmentId } = await bookAppointment(deps, act(), {
        patientId: await aPatient(database.owner, clinic),
        providerId,
        appointmentTime: slotAt(clinic, 5, '17:30'),
        durationMinutes: 60,
        registersPatient: false,
        override: { rules: ['outside_hours'], reason: 'stays longer that day' },
      });
      await wait({ providerId, priority: 9, durationMinutes: 60 });
      const fits = await wait({ providerId });
      const { roundId = '' } = await cancelAppointment(deps, act(), { appointmentId, reason: 'patient_request' });
      expect(await fillRound(deps, act(), { roundId })).toMatchObject({ outcome: 'filled', entryId: fits.entry_id });
    });

    it('passes over a patient who is busy then and books the next one', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Cardiology' });
      const visit = await book({ providerId });
      const busy = await wait({ providerId, priority: 9 });
      await book({ patientId: busy.patient_id });
      const next = await wait({ providerId });
      const { roundId } = await cancelAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      expect(await fillRound(deps, act(), { roundId: roundId ?? '' })).toMatchObject({
        outcome: 'filled',
        entryId: next.entry_id,
      });
      const offers = await database.owner.db
        .selectFrom('round_candidate')
        .select(['entry_id', 'state', 'reason'])
        .where('round_id', '=', roundId ?? '')
        .orderBy('state')
        .execute();
      expect(offers).toEqual([
        { entry_id: next.entry_id, state: 'BOOKED', reason: null },
        { entry_id: busy.entry_id, state: 'PASSED', reason: 'patient_busy' },
      ]);
    });

    it('gives the slot back to the public when the only one waiting has left', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Urology' });
      const visit = await book({ providerId });
      const entry = await wait({ providerId });
      const { roundId } = await cancelAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      await leaveWaitlist(deps, act(), { entryId: entry.entry_id });
      expect(await fillRound(deps, act(), { roundId: roundId ?? '' })).toEqual({
        outcome: 'released',
        reason: 'nobody_fits',
      });
      await expect(book({ providerId })).resolves.toBeDefined();
    });

    it('opens no round when nobody who waits fits', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Neurology' });
      const visit = await book({ providerId });
      await wait({ providerId, latestInDays: 2 });
      const cancelled = await cancelAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      expect(cancelled.roundId).toBeUndefined();
      expect(await reservations(providerId)).toEqual([]);
    });

    it('opens a round for the time a move leaves behind', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Oncology' });
      const visit = await book({ providerId });
      await wait({ providerId });
      await moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 7, '10:00'),
      });
      expect(await reservations(providerId)).toEqual([
        `WAITLIST ${visit.appointmentTime.toISOString()}`,
        `APPOINTMENT ${slotAt(clinic, 7, '10:00').toISOString()}`,
      ]);
    });

    it('has one legal outcome when two workers fill one round', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Radiology' });
      const visit = await book({ providerId });
      await Promise.all([wait({ providerId }), wait({ providerId }), wait({ providerId })]);
      const { roundId } = await cancelAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        reason: 'patient_request',
      });
      const results = await Promise.all([1, 2, 3, 4].map(() => fillRound(deps, act(), { roundId: roundId ?? '' })));
      expect(results.map((result) => result.outcome).sort()).toEqual(['closed', 'closed', 'closed', 'filled']);
      const booked = await database.owner.db
        .selectFrom('waitlist_entry')
        .select('entry_id')
        .where('provider_id', '=', providerId)
        .where('status', '=', 'BOOKED')
        .execute();
      expect(booked).toHaveLength(1);
    });

    it('never fills a day beyond the provider’s limit', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Pulmonology', maxDailyAppointments: 2 });
      const visit = await book({ providerId, time: '09:00' });
      await book({ providerId, time: '11:00' });
      await wait({ providerId });
      await moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 5, '15:00'),
      });
      const round = await database.owner.db
        .selectFrom('waitlist_round')
        .select('round_id')
        .where('freed_appointment_id', '=', visit.appointmentId)
        .executeTakeFirstOrThrow();
      expect(await fillRound(deps, act(), { roundId: round.round_id })).toEqual({
        outcome: 'released',
        reason: 'day_full',
      });
      expect(await reservations(providerId)).toHaveLength(2);
    });

    describe('when buffers have grown into a neighbour since the slot was freed', () => {
      /** A round for 10:00, with `neighbour` at 10:30. */
      const aRoundBeside = async (neighbour: (at: Clinic, providerId: string) => Promise<unknown>) => {
        const buffered = await aClinic(database.owner);
        const elsewhere = { ...act(), clinicId: buffered.clinicId };
        const providerId = await aProvider(database.owner, buffered);
        const visit = await bookAppointment(deps, elsewhere, {
          patientId: await aPatient(database.owner, buffered),
          providerId,
          appointmentTime: slotAt(buffered, 5, '10:00'),
          durationMinutes: 30,
          registersPatient: false,
        });
        await neighbour(buffered, providerId);
        const today = localDate(buffered.timeZone, Date.now());
        await joinWaitlist(deps, elsewhere, {
          patientId: await aPatient(database.owner, buffered),
          providerId,
          durationMinutes: 30,
          earliestDate: today,
          latestDate: addDays(today, 30),
          registersPatient: false,
        });
        const { roundId = '' } = await cancelAppointment(deps, elsewhere, {
          appointmentId: visit.appointmentId,
          reason: 'other',
        });
        await sql`update clinic set policy = policy || '{"bufferAfterMinutes": 10}' where clinic_id = ${buffered.clinicId}`.execute(
          database.owner.db,
        );
        return fillRound(deps, elsewhere, { roundId });
      };

      it('closes the round', async () => {
        const outcome = await aRoundBeside(async (at, providerId) =>
          bookAppointment(
            deps,
            { ...act(), clinicId: at.clinicId },
            {
              patientId: await aPatient(database.owner, at),
              providerId,
              appointmentTime: slotAt(at, 5, '10:30'),
              durationMinutes: 30,
              registersPatient: false,
            },
          ),
        );
        expect(outcome).toEqual({ outcome: 'released', reason: 'nobody_fits' });
      });

      it('fills the round where the neighbour was a hold that has expired', async () => {
        const outcome = await aRoundBeside(async (at, providerId) => {
          const { hold } = await placeHold(
            deps,
            { ...act(), clinicId: at.clinicId },
            { providerId, slotStart: slotAt(at, 5, '10:30'), durationMinutes: 30, heldBy: 'somebody' },
          );
          await sql`update reservation set expires_at = now() - interval '1 second' where hold_id = ${hold.hold_id}`.execute(
            database.owner.db,
          );
        });
        expect(outcome).toMatchObject({ outcome: 'filled' });
      });
    });

    it('takes no wish that is over, and ends one of the same patient that has gone by', async () => {
      const providerId = await aProvider(database.owner, clinic);
      const { entry_id: old, patient_id: patientId } = await wait({ providerId });
      const yesterday = addDays(localDate(clinic.timeZone, Date.now()), -1);
      const wish = { patientId, providerId, durationMinutes: 30, registersPatient: false };
      await expect(
        joinWaitlist(deps, act(), { ...wish, earliestDate: yesterday, latestDate: yesterday }),
      ).rejects.toMatchObject({ code: 'in_the_past' });
      await database.owner.db
        .updateTable('waitlist_entry')
        .set({ earliest_date: yesterday, latest_date: yesterday })
        .where('entry_id', '=', old)
        .execute();
      expect((await wait({ providerId, patientId })).status).toBe('WAITING');
      const ended = await database.owner.db
        .selectFrom('waitlist_entry')
        .select('status')
        .where('entry_id', '=', old)
        .executeTakeFirstOrThrow();
      expect(ended.status).toBe('LEFT');
    });

    it('takes a patient once for the same wish', async () => {
      const providerId = await aProvider(database.owner, clinic);
      const entry = await wait({ providerId });
      await expect(wait({ providerId, patientId: entry.patient_id })).rejects.toMatchObject({
        code: 'already_waiting',
      });
    });
  });

  describe('attending', () => {
    it('checks in, completes, and repeating either changes nothing', async () => {
      const visit = await book();
      const during = act(new Date(visit.appointmentTime.getTime() + 60_000));
      await checkIn(deps, during, visit);
      expect((await checkIn(deps, during, visit)).version).toBe(2);
      expect((await completeAppointment(deps, during, visit)).status).toBe('COMPLETED');
      expect((await completeAppointment(deps, during, visit)).version).toBe(3);
      expect(await events(visit.appointmentId)).toEqual(['booked 1', 'checkedIn 2', 'completed 3']);
    });

    it('marks a no-show only after the start, and undoes it', async () => {
      const visit = await book();
      await expect(markNoShow(deps, act(), visit)).rejects.toMatchObject({ code: 'visit_not_begun' });
      const after = act(new Date(visit.appointmentTime.getTime() + 60_000));
      expect((await markNoShow(deps, after, visit)).status).toBe('NO_SHOW');
      expect((await undoNoShow(deps, after, visit)).status).toBe('SCHEDULED');
    });
  });
});
