import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { changeHours, clearOverride, overrideDate } from '../../../src/scheduling/schedule/hours.ts';
import { addClosure, importClosures, removeClosure } from '../../../src/scheduling/schedule/closures.ts';
import { addDays } from '../../../src/domain/time-zone.ts';
import { aClinic, aPatient, aProvider, dateIn, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let deps: SchedulingDeps;
let clinic: Clinic;
let providerId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  deps = createSchedulingDeps(database.app);
});
afterAll(() => database.drop());

const act = (): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() });
const elsewhere = async (): Promise<Act> => ({ ...act(), clinicId: (await aClinic(database.owner)).clinicId });
const inDays = (days: number) => dateIn(clinic, days);
const everyDay = (startTime: string, endTime: string) =>
  [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, startTime, endTime }));

async function aNewProvider(): Promise<void> {
  clinic = await aClinic(database.owner);
  providerId = await aProvider(database.owner, clinic);
}

async function book(time: string, day = 3, patientId?: string) {
  return bookAppointment(deps, act(), {
    patientId: patientId ?? (await aPatient(database.owner, clinic)),
    providerId,
    appointmentTime: slotAt(clinic, day, time),
    durationMinutes: 30,
    registersPatient: false,
  });
}

async function versionOf(provider = providerId): Promise<number> {
  const row = await database.owner.db
    .selectFrom('provider')
    .select('schedule_version')
    .where('provider_id', '=', provider)
    .executeTakeFirstOrThrow();
  return row.schedule_version;
}

async function auditedActions(entityId: string): Promise<string[]> {
  const rows = await database.owner.db
    .selectFrom('audit_event')
    .select('action')
    .where('entity_id', '=', entityId)
    .orderBy('audit_id')
    .execute();
  return rows.map(({ action }) => action);
}

const closuresOf = () =>
  database.owner.db
    .selectFrom('closure')
    .select(['from_date', 'to_date', 'name', 'yearly', 'calendar_uid'])
    .where('clinic_id', '=', clinic.clinicId)
    .orderBy('from_date')
    .execute();

describe('weekly hours and breaks', () => {
  it('replace what there was; booked visits stay and are counted', async () => {
    await aNewProvider();
    await book('09:00');
    await book('12:00');
    await book('13:00');
    const changed = await changeHours(deps, act(), {
      providerId,
      expectedVersion: await versionOf(),
      weekly: everyDay('10:00', '20:00'),
      breaks: everyDay('12:00', '12:45'),
    });
    expect(changed).toEqual({ scheduleVersion: await versionOf(), affectedAppointments: 2 });
    await expect(book('19:00')).resolves.toBeDefined();
    await expect(book('08:00')).rejects.toMatchObject({ code: 'outside_hours' });
    await expect(book('12:30')).rejects.toMatchObject({ code: 'outside_hours' });
    expect(await auditedActions(providerId)).toEqual(['hours_changed']);
  });

  it('are changed by one of two who read the same version', async () => {
    await aNewProvider();
    const expectedVersion = await versionOf();
    const results = await Promise.allSettled(
      ['17:00', '19:00'].map((endTime) =>
        changeHours(deps, act(), { providerId, expectedVersion, weekly: everyDay('09:00', endTime), breaks: [] }),
      ),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'version_mismatch' });
    }
    const rows = await database.owner.db
      .selectFrom('availability')
      .select('end_time')
      .where('provider_id', '=', providerId)
      .execute();
    expect(rows).toHaveLength(7);
    expect(new Set(rows.map((row) => row.end_time)).size).toBe(1);
  });

  it('may be none', async () => {
    await aNewProvider();
    await changeHours(deps, act(), { providerId, expectedVersion: await versionOf(), weekly: [], breaks: [] });
    await expect(book('10:00')).rejects.toMatchObject({ code: 'outside_hours' });
  });

  it('are those of the clinic’s own providers', async () => {
    await aNewProvider();
    const wanted = { providerId, expectedVersion: await versionOf(), weekly: [], breaks: [] };
    await expect(changeHours(deps, await elsewhere(), wanted)).rejects.toMatchObject({ code: 'not_found' });
    expect(await versionOf()).toBe(wanted.expectedVersion);
  });
});

describe('the override of a date', () => {
  it('sets its hours, closes it, and is cleared again', async () => {
    await aNewProvider();
    const date = inDays(3);
    await book('09:00');
    const windows = [{ startTime: '18:00', endTime: '20:00' }];
    expect(await overrideDate(deps, act(), { providerId, date, windows })).toMatchObject({ affectedAppointments: 1 });
    await book('18:00');
    await expect(book('10:00')).rejects.toMatchObject({ code: 'outside_hours' });
    await expect(book('10:00', 4)).resolves.toBeDefined();

    // The visit of the morning has nowhere to be before and after, so only the one of the evening is new.
    expect(await clearOverride(deps, act(), { providerId, date })).toMatchObject({ affectedAppointments: 1 });
    await expect(book('10:00')).resolves.toBeDefined();
    await expect(clearOverride(deps, act(), { providerId, date })).rejects.toMatchObject({ code: 'not_found' });

    expect(await overrideDate(deps, act(), { providerId, date, windows: [] })).toMatchObject({
      affectedAppointments: 3,
    });
    await expect(book('11:00')).rejects.toMatchObject({ code: 'provider_closed' });
    expect(await auditedActions(providerId)).toEqual(['date_overridden', 'override_cleared', 'date_overridden']);
  });
});

describe('a closure', () => {
  const closure = (day: number, given: object = {}) => ({
    fromDate: inDays(day),
    toDate: inDays(day),
    name: 'Inventory',
    yearly: false,
    ...given,
  });

  it('closes the clinic for every provider, and counts the visits of all of them', async () => {
    await aNewProvider();
    const first = providerId;
    await book('09:00');
    await book('09:00', 4);
    providerId = await aProvider(database.owner, clinic);
    await book('10:00');
    const added = await addClosure(deps, act(), closure(3));
    expect(added).toMatchObject({ affectedAppointments: 2, replayed: false });
    await expect(book('11:00')).rejects.toMatchObject({ code: 'provider_closed' });
    providerId = first;
    await expect(book('11:00')).rejects.toMatchObject({ code: 'provider_closed' });

    await expect(removeClosure(deps, await elsewhere(), added)).rejects.toMatchObject({ code: 'not_found' });
    await removeClosure(deps, act(), added);
    await expect(book('11:00')).resolves.toBeDefined();
    await expect(removeClosure(deps, act(), added)).rejects.toMatchObject({ code: 'not_found' });
    expect(await auditedActions(clinic.clinicId)).toEqual(['closure_added', 'closure_removed']);
  });

  it('counts each visit once that begins in a closure or reaches into one, and none that was closed out before', async () => {
    await aNewProvider();
    const around = everyDay('00:00', '00:00');
    const providers = [providerId, await aProvider(database.owner, clinic), await aProvider(database.owner, clinic)];
    for (const each of providers) {
      providerId = each;
      await changeHours(deps, act(), { providerId, expectedVersion: await versionOf(), weekly: around, breaks: [] });
    }
    await addClosure(deps, act(), closure(8));
    const override = { rules: ['provider_closed'] as const, reason: 'on call' };
    for (const [index, [day, time]] of (
      [
        [2, '23:45'],
        [3, '23:45'],
        [5, '12:00'],
        [8, '00:00'],
        [7, '23:45'],
        [9, '09:00'],
      ] as const
    ).entries()) {
      await bookAppointment(deps, act(), {
        patientId: await aPatient(database.owner, clinic),
        providerId: providers[index % 3] ?? providerId,
        appointmentTime: slotAt(clinic, day, time),
        durationMinutes: 30,
        registersPatient: false,
        override,
      });
    }
    const import3 = (...days: number[]) =>
      importClosures(deps, act(), [{ uid: 'one', closures: days.map((day) => closure(day)) }]);
    // 2 and 3 reach into or lie in 3 and 4; 5 is in none; 7 and 8 meet what is closed already; 9 is new.
    expect(await import3(3, 4, 8, 9)).toMatchObject({ imported: 4, affectedAppointments: 3 });
    expect(
      await addClosure(
        deps,
        act(),
        closure(5, { yearly: true, fromDate: addDays(inDays(5), -366), toDate: addDays(inDays(5), -365) }),
      ),
    ).toMatchObject({
      affectedAppointments: 1,
    });
  });

  it('of a clinic that does not exist is none', async () => {
    await aNewProvider();
    const nowhere = { ...act(), clinicId: crypto.randomUUID() };
    await expect(addClosure(deps, nowhere, closure(3))).rejects.toMatchObject({ code: 'not_found' });
  });

  it('comes back every year when it is yearly', async () => {
    await aNewProvider();
    // 365 days ago, or 366 with a leap day in between: one of the two is the same date of last year.
    const lastYear = { fromDate: addDays(inDays(3), -366), toDate: addDays(inDays(3), -365) };
    await book('09:00');
    const added = await addClosure(deps, act(), closure(3, { ...lastYear, yearly: true }));
    expect(added.affectedAppointments).toBe(1);
    await expect(book('11:00')).rejects.toMatchObject({ code: 'provider_closed' });
  });

  it('races bookings so that each is either before it and counted, or refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      await aNewProvider();
      const patients = await Promise.all(Array.from({ length: 8 }, () => aPatient(database.owner, clinic)));
      const attempt = (patientId: string, index: number) =>
        book(`${String(8 + index).padStart(2, '0')}:00`, 3, patientId);
      const [before = '', ...racers] = patients;
      await attempt(before, 0);
      const early = racers.slice(0, 3).map((patientId, index) => attempt(patientId, index + 1));
      const adding = addClosure(deps, act(), closure(3));
      const late = racers.slice(3).map((patientId, index) => attempt(patientId, index + 4));
      const results = await Promise.allSettled([...early, ...late]);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'provider_closed' });
      const booked = results.filter(({ status }) => status === 'fulfilled').length;
      expect((await adding).affectedAppointments).toBe(1 + booked);
      await expect(attempt(before, 8)).rejects.toMatchObject({ code: 'provider_closed' });
    }
  });
});

describe('closures from a calendar', () => {
  const holiday = (day: number, given: object = {}) => ({
    fromDate: inDays(day),
    toDate: inDays(day),
    name: 'Holiday',
    yearly: false,
    ...given,
  });

  it('are added once, however often the file is imported', async () => {
    await aNewProvider();
    await book('09:00', 5);
    const events = [
      { uid: 'one', closures: [holiday(5)] },
      { uid: 'two', closures: [holiday(10), holiday(20, { toDate: inDays(22) })] },
      { uid: 'new-year', closures: [holiday(30, { yearly: true })] },
    ];
    const before = await versionOf();
    expect(await importClosures(deps, act(), events)).toEqual({
      imported: 4,
      unchanged: 0,
      removed: 0,
      affectedAppointments: 1,
      replayed: false,
    });
    expect(await versionOf()).toBe(before + 1);
    expect(await importClosures(deps, act(), events)).toMatchObject({
      imported: 0,
      unchanged: 4,
      affectedAppointments: 0,
    });
    expect(await versionOf()).toBe(before + 1);
    expect(await closuresOf()).toHaveLength(4);
    expect(await auditedActions(clinic.clinicId)).toEqual(['closures_imported']);
  });

  it('follow their event when it is moved or renamed, and leave alone what is not in the file, over or made by hand', async () => {
    await aNewProvider();
    await addClosure(deps, act(), holiday(5, { name: 'By hand' }));
    const past = holiday(-30);
    await importClosures(deps, act(), [
      { uid: 'moved', closures: [past, holiday(10), holiday(11)] },
      { uid: 'other', closures: [holiday(40)] },
    ]);
    expect(
      await importClosures(deps, act(), [{ uid: 'moved', closures: [holiday(10), holiday(11, { name: 'Renamed' })] }]),
    ).toMatchObject({ imported: 1, unchanged: 1, removed: 1 });
    expect((await closuresOf()).map((row) => [row.from_date, row.name, row.calendar_uid])).toEqual([
      [past.fromDate, 'Holiday', 'moved'],
      [inDays(5), 'By hand', null],
      [inDays(10), 'Holiday', 'moved'],
      [inDays(11), 'Renamed', 'moved'],
      [inDays(40), 'Holiday', 'other'],
    ]);
  });

  it('that were over are closed anew when their event lasts longer now or comes back every year', async () => {
    await aNewProvider();
    const past = [holiday(-3, { toDate: inDays(-1) }), holiday(-9)] as const;
    await importClosures(deps, act(), [
      { uid: 'works', closures: [past[0]] },
      { uid: 'labour', closures: [past[1]] },
    ]);
    const longer = { ...past[0], toDate: inDays(5) };
    const yearly = { ...past[1], yearly: true };
    const again = [
      { uid: 'works', closures: [longer] },
      { uid: 'labour', closures: [yearly] },
    ];
    await book('09:00', 5);
    expect(await importClosures(deps, act(), again)).toMatchObject({
      imported: 2,
      removed: 0,
      affectedAppointments: 1,
    });
    expect((await closuresOf()).map((row) => [row.from_date, row.to_date, row.yearly])).toEqual([
      [yearly.fromDate, yearly.toDate, true],
      [longer.fromDate, longer.toDate, false],
    ]);
    expect(await importClosures(deps, act(), again)).toMatchObject({ imported: 0, unchanged: 2 });
  });

  it('are closed once, for the longer time, on a date that their event has twice', async () => {
    await aNewProvider();
    const twice = [holiday(5), holiday(5, { toDate: inDays(6) })];
    expect(await importClosures(deps, act(), [{ uid: 'twice', closures: twice }])).toMatchObject({ imported: 1 });
    expect((await closuresOf()).map((row) => [row.from_date, row.to_date])).toEqual([[inDays(5), inDays(6)]]);
  });

  it('are doubled by nobody when two import the same file at once', async () => {
    await aNewProvider();
    const events = [{ uid: 'one', closures: [holiday(5), holiday(6)] }];
    const results = await Promise.all([1, 2, 3].map(() => importClosures(deps, act(), events)));
    expect(results.map(({ imported }) => imported).sort()).toEqual([0, 0, 2]);
    expect(await closuresOf()).toHaveLength(2);
  });

  it('of nothing change nothing', async () => {
    await aNewProvider();
    expect(await importClosures(deps, act(), [])).toMatchObject({ imported: 0, affectedAppointments: 0 });
    expect(await auditedActions(clinic.clinicId)).toEqual([]);
  });
});
