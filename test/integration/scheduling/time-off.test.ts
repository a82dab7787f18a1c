import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { addTimeOff, removeTimeOff } from '../../../src/scheduling/schedule/time-off.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('time off', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;
  let providerId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const act = (given: Partial<Act> = {}): Act => ({
    actor: { kind: 'staff', id: 'desk' },
    clinicId: clinic.clinicId,
    now: new Date(),
    requestId: 'request-1',
    ...given,
  });
  const book = async (time: string, day = 3) =>
    bookAppointment(deps, act(), {
      patientId: await aPatient(database.owner, clinic),
      providerId,
      appointmentTime: slotAt(clinic, day, time),
      durationMinutes: 30,
      registersPatient: false,
    });
  const morning = (day = 3) => ({ providerId, from: slotAt(clinic, day, '08:00'), to: slotAt(clinic, day, '12:00') });
  const versionOf = async () =>
    (
      await database.owner.db
        .selectFrom('provider')
        .select('schedule_version')
        .where('provider_id', '=', providerId)
        .executeTakeFirstOrThrow()
    ).schedule_version;
  const rows = () =>
    database.owner.db.selectFrom('time_off').selectAll().where('provider_id', '=', providerId).execute();

  it('refuses bookings from then on, says how many visits it leaves behind, and moves none of them', async () => {
    providerId = await aProvider(database.owner, clinic);
    const inside = await book('09:00');
    for (const [time, day] of [
      ['11:30', 3],
      ['12:00', 3],
      ['09:00', 4],
    ] as const)
      await book(time, day);
    const before = await versionOf();
    const added = await addTimeOff(deps, act(), morning());
    expect(added).toEqual({ timeOffId: expect.any(String), affectedAppointments: 2, replayed: false });
    expect(await versionOf()).toBe(before + 1);
    await expect(book('10:00')).rejects.toMatchObject({ code: 'provider_away' });
    await expect(book('12:30')).resolves.toBeDefined();
    const visit = await database.owner.db
      .selectFrom('appointment')
      .select(['status', 'version'])
      .where('appointment_id', '=', inside.appointmentId)
      .executeTakeFirstOrThrow();
    expect(visit).toEqual({ status: 'SCHEDULED', version: 1 });
    const audit = await database.owner.db
      .selectFrom('audit_event')
      .select(['action', 'actor_id', 'request_id', 'detail'])
      .where('entity_id', '=', providerId)
      .execute();
    expect(audit).toEqual([
      {
        action: 'time_off_added',
        actor_id: 'desk',
        request_id: 'request-1',
        detail: {
          timeOffId: added.timeOffId,
          from: morning().from.toISOString(),
          to: morning().to.toISOString(),
          affected: 2,
        },
      },
    ]);
  });

  it('can be taken back, once', async () => {
    providerId = await aProvider(database.owner, clinic);
    const { timeOffId } = await addTimeOff(deps, act(), morning());
    await removeTimeOff(deps, act(), { providerId, timeOffId });
    await expect(book('10:00')).resolves.toBeDefined();
    await expect(removeTimeOff(deps, act(), { providerId, timeOffId })).rejects.toMatchObject({ code: 'not_found' });
    expect(await rows()).toEqual([]);
  });

  it('is only for providers of the clinic, and only theirs is taken back', async () => {
    providerId = await aProvider(database.owner, clinic);
    const elsewhere = act({ clinicId: (await aClinic(database.owner)).clinicId });
    await expect(addTimeOff(deps, elsewhere, morning())).rejects.toMatchObject({ code: 'not_found' });
    const { timeOffId } = await addTimeOff(deps, act(), morning());
    await expect(removeTimeOff(deps, elsewhere, { providerId, timeOffId })).rejects.toMatchObject({
      code: 'not_found',
    });
    const colleague = await aProvider(database.owner, clinic);
    await expect(removeTimeOff(deps, act(), { providerId: colleague, timeOffId })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await rows()).toHaveLength(1);
  });

  it('is added once under a key, however often it is asked for', async () => {
    providerId = await aProvider(database.owner, clinic);
    const idempotency = { caller: 'desk', route: 'POST time-off', key: 'key-1', fingerprint: 'a' };
    const first = await addTimeOff(deps, act(), morning(), idempotency);
    expect(await addTimeOff(deps, act(), morning(), idempotency)).toEqual({ ...first, replayed: true });
    await expect(addTimeOff(deps, act(), morning(), { ...idempotency, fingerprint: 'b' })).rejects.toMatchObject({
      code: 'idempotency_mismatch',
    });
    expect(await rows()).toHaveLength(1);
  });

  it('races bookings so that each is either before it and counted, or refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      providerId = await aProvider(database.owner, clinic);
      const patients = await Promise.all(Array.from({ length: 8 }, () => aPatient(database.owner, clinic)));
      const attempt = (patientId: string, index: number) =>
        bookAppointment(deps, act(), {
          patientId,
          providerId,
          appointmentTime: new Date(morning().from.getTime() + index * 30 * 60_000),
          durationMinutes: 30,
          registersPatient: false,
        });
      const early = patients.slice(0, 4).map(attempt);
      const adding = addTimeOff(deps, act(), morning());
      const bookings = [...early, ...patients.slice(4).map((patientId, index) => attempt(patientId, index + 4))];
      const results = await Promise.allSettled(bookings);
      const booked = results.filter(({ status }) => status === 'fulfilled').length;
      expect((await adding).affectedAppointments).toBe(booked);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'provider_away' });
      }
    }
  });
});
