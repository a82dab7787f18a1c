import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
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
    return { appointmentId, read, during: act(new Date(appointmentTime.getTime() + 60_000)) };
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
    for (const attend of [checkIn, completeAppointment, markNoShow, undoNoShow]) {
      await expect(attend(deps, during, read(2))).rejects.toMatchObject(stale);
    }
    expect((await markNoShow(deps, during, read(1))).version).toBe(2);
    await expect(undoNoShow(deps, during, read(1))).rejects.toMatchObject(stale);
    expect((await undoNoShow(deps, during, read(2))).version).toBe(3);
    expect((await checkIn(deps, during, read(3))).version).toBe(4);
    expect((await completeAppointment(deps, during, read(4))).version).toBe(5);
    expect(await events(appointmentId)).toEqual([
      { event: 'booked', version: 1 },
      { event: 'noShowMarked', version: 2 },
      { event: 'noShowUndone', version: 3 },
      { event: 'checkedIn', version: 4 },
      { event: 'completed', version: 5 },
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
});
