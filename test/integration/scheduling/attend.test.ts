import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import {
  checkIn,
  completeAppointment,
  completeByItself,
  markNoShow,
  undoCheckIn,
  undoCompletion,
  undoNoShow,
} from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { integrityFaults } from '../../support/integrity.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('attending from the version that was read', () => {
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
  const aVisitThatHasBegun = async () => {
    const appointmentTime = slotAt(clinic, 5, '10:00');
    const { appointmentId } = await bookAppointment(deps, act(), {
      patientId: await aPatient(database.owner, clinic),
      providerId: await aProvider(database.owner, clinic),
      appointmentTime,
      durationMinutes: 30,
      registersPatient: false,
    });
    const read = (expectedVersion: number) => ({ appointmentId, expectedVersion });
    const at = (minutes: number) => act(new Date(appointmentTime.getTime() + minutes * 60_000));
    return { appointmentId, appointmentTime, read, at, during: at(1) };
  };
  const events = (appointmentId: string) =>
    database.owner.db
      .selectFrom('outbox')
      .select(['event', 'version'])
      .where('aggregate_id', '=', appointmentId)
      .orderBy('outbox_id')
      .execute();

  it('changes that version or nothing', async () => {
    const { appointmentId, read, during } = await aVisitThatHasBegun();
    const stale = { code: 'version_mismatch' };
    for (const attend of [checkIn, undoCheckIn, completeAppointment, undoCompletion, markNoShow, undoNoShow]) {
      await expect(attend(deps, during, read(2))).rejects.toMatchObject(stale);
    }
    expect((await markNoShow(deps, during, read(1))).version).toBe(2);
    await expect(undoNoShow(deps, during, read(1))).rejects.toMatchObject(stale);
    expect((await undoNoShow(deps, during, read(2))).version).toBe(3);
    expect((await checkIn(deps, during, read(3))).version).toBe(4);
    expect((await completeAppointment(deps, during, read(4))).version).toBe(5);
    expect((await undoCompletion(deps, during, read(5))).version).toBe(6);
    expect((await undoCheckIn(deps, during, read(6))).version).toBe(7);
    expect(await events(appointmentId)).toEqual([
      { event: 'booked', version: 1 },
      { event: 'noShowMarked', version: 2 },
      { event: 'noShowUndone', version: 3 },
      { event: 'checkedIn', version: 4 },
      { event: 'completed', version: 5 },
      { event: 'completionUndone', version: 6 },
      { event: 'checkInUndone', version: 7 },
    ]);
  });

  it('leaves nothing to plan of a visit that took place: no workflow need run for it, and the sweep finds nothing', async () => {
    const { appointmentId, read, during } = await aVisitThatHasBegun();
    expect(await completeAppointment(deps, during, read(1))).toMatchObject({
      appointment_id: appointmentId,
      next_action: null,
      next_action_at: null,
    });
  });

  it('answers what is already so, whatever version it was read at', async () => {
    const { read, during } = await aVisitThatHasBegun();
    expect((await checkIn(deps, during, read(1))).version).toBe(2);
    expect((await checkIn(deps, during, read(1))).version).toBe(2);
    expect((await completeAppointment(deps, during, read(2))).version).toBe(3);
    expect((await completeAppointment(deps, during, read(2))).version).toBe(3);
    const other = await aVisitThatHasBegun();
    expect((await markNoShow(deps, during, other.read(1))).version).toBe(2);
    expect((await markNoShow(deps, during, other.read(1))).version).toBe(2);
  });

  it('checks in on the day of the visit, from the policy’s minutes before it', async () => {
    const { appointmentId, at } = await aVisitThatHasBegun();
    const visit = { appointmentId };
    await expect(checkIn(deps, act(), visit)).rejects.toMatchObject({ code: 'check_in_not_open' });
    await expect(checkIn(deps, at(-241), visit)).rejects.toMatchObject({ code: 'check_in_not_open' });
    await expect(checkIn(deps, at(14 * 60), visit)).rejects.toMatchObject({ code: 'check_in_over' });
    expect(await checkIn(deps, at(14 * 60 - 1), visit)).toMatchObject({ version: 2 });
    expect(await undoCheckIn(deps, at(0), visit)).toMatchObject({
      version: 3,
      checked_in_at: null,
      next_action: 'plan',
    });
    expect(await checkIn(deps, at(-240), visit)).toMatchObject({ version: 4, status: 'SCHEDULED' });
  });

  it('completes by itself only the visit of a patient who was checked in', async () => {
    const { appointmentId, at } = await aVisitThatHasBegun();
    const visit = { appointmentId };
    await expect(completeByItself(deps, at(60), visit)).rejects.toMatchObject({ code: 'not_checked_in' });
    await checkIn(deps, at(0), visit);
    expect(await completeByItself(deps, at(60), visit)).toMatchObject({ status: 'COMPLETED' });
  });

  it('corrects what became of a visit for some days, and leaves nothing to plan but of what is scheduled again', async () => {
    const { appointmentId, at } = await aVisitThatHasBegun();
    const visit = { appointmentId };
    const day = 24 * 60;
    await completeAppointment(deps, at(30), visit);
    expect(await markNoShow(deps, at(day), visit)).toMatchObject({ status: 'NO_SHOW', next_action: null });
    expect(await completeAppointment(deps, at(2 * day), visit)).toMatchObject({
      status: 'COMPLETED',
      next_action: null,
    });
    expect(await undoCompletion(deps, at(3 * day), visit)).toMatchObject({ status: 'SCHEDULED', next_action: 'plan' });
    await markNoShow(deps, at(3 * day), visit);
    for (const attend of [completeAppointment, undoNoShow]) {
      await expect(attend(deps, at(7 * day + 31), visit)).rejects.toMatchObject({ code: 'correction_too_late' });
    }
    expect(await integrityFaults(database.owner)).toEqual([]);
  });

  describe('a visit that is completed before its end', () => {
    const reservations = async (appointmentId: string) => {
      const { rows } = await sql<{ whose: string; from: Date; to: Date }>`
        select case when r.resource_id = a.provider_id then 'provider' else 'patient' end as whose, lower(during) as from, upper(during) as to
        from reservation r join appointment a using (appointment_id) where appointment_id = ${appointmentId} order by whose desc`.execute(
        database.owner.db,
      );
      return rows;
    };

    it('gives back what is left of both its times, and has them again when that was a mistake', async () => {
      const { appointmentId, at } = await aVisitThatHasBegun();
      const whole = await reservations(appointmentId);
      await completeAppointment(deps, at(10), { appointmentId });
      const left = await reservations(appointmentId);
      expect(left).toEqual(whole.map((each) => ({ ...each, to: at(10).now })));
      await undoCompletion(deps, at(11), { appointmentId });
      expect(await reservations(appointmentId)).toEqual(whole);
      await completeAppointment(deps, at(12), { appointmentId });
      await markNoShow(deps, at(13), { appointmentId });
      await undoNoShow(deps, at(14), { appointmentId });
      expect(await reservations(appointmentId)).toEqual(whole);
      await completeAppointment(deps, at(30), { appointmentId });
      expect(await reservations(appointmentId)).toEqual(whole);
    });

    it('gives back all of it when the patient was seen before the hour, and somebody else is booked then', async () => {
      const { appointmentId, appointmentTime, at } = await aVisitThatHasBegun();
      await checkIn(deps, at(-60), { appointmentId });
      await completeAppointment(deps, at(-30), { appointmentId });
      expect(await reservations(appointmentId)).toEqual([]);
      const { provider_id: providerId } = await database.owner.db
        .selectFrom('appointment')
        .select('provider_id')
        .where('appointment_id', '=', appointmentId)
        .executeTakeFirstOrThrow();
      const patientId = await aPatient(database.owner, clinic);
      const next = { patientId, providerId, appointmentTime, durationMinutes: 30, registersPatient: false };
      await bookAppointment(deps, act(), next);
      await expect(undoCompletion(deps, at(-10), { appointmentId })).rejects.toMatchObject({ code: 'slot_taken' });
      expect(await integrityFaults(database.owner)).toEqual([]);
    });

    it('keeps the provider’s buffer', async () => {
      const buffered = await aClinic(database.owner, { policy: { bufferBeforeMinutes: 5, bufferAfterMinutes: 10 } });
      const appointmentTime = slotAt(buffered, 5, '10:00');
      const at = (minutes: number): Act => ({
        ...act(new Date(appointmentTime.getTime() + minutes * 60_000)),
        clinicId: buffered.clinicId,
      });
      const { appointmentId } = await bookAppointment(
        deps,
        { ...at(0), now: new Date() },
        {
          patientId: await aPatient(database.owner, buffered),
          providerId: await aProvider(database.owner, buffered),
          appointmentTime,
          durationMinutes: 30,
          registersPatient: false,
        },
      );
      const whole = await reservations(appointmentId);
      await completeAppointment(deps, at(10), { appointmentId });
      expect(await reservations(appointmentId)).toEqual([
        { whose: 'provider', from: at(-5).now, to: at(20).now },
        { whose: 'patient', from: at(0).now, to: at(10).now },
      ]);
      await undoCompletion(deps, at(12), { appointmentId });
      expect(await reservations(appointmentId)).toEqual(whole);
    });
  });
});
