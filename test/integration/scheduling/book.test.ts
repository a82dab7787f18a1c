import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment, type Booking } from '../../../src/scheduling/visits/book.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { BLINDED } from '../../support/guards.ts';

describe('booking', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const act = (): Act => ({
    actor: { kind: 'staff', id: 'desk' },
    clinicId: clinic.clinicId,
    now: new Date(),
    requestId: 'request-1',
  });
  const booking = async (given: Partial<Booking> = {}): Promise<Booking> => ({
    patientId: given.patientId ?? (await aPatient(database.owner, clinic)),
    providerId: given.providerId ?? (await aProvider(database.owner, clinic)),
    appointmentTime: slotAt(clinic, 3, '10:00'),
    durationMinutes: 30,
    registersPatient: false,
    ...given,
  });
  const rowsFor = async (appointmentId: string) => {
    const count = async (table: 'reservation' | 'outbox' | 'audit_event', column: string) => {
      const { rows } = await sql<{
        n: string;
      }>`select count(*) as n from ${sql.table(table)} where ${sql.ref(column)} = ${appointmentId}`.execute(
        database.owner.db,
      );
      return Number(rows[0]?.n);
    };
    return {
      reservations: await count('reservation', 'appointment_id'),
      outbox: await count('outbox', 'aggregate_id'),
      audit: await count('audit_event', 'entity_id'),
    };
  };

  it('writes the appointment, both reservations, the outbox row and the audit in one transaction', async () => {
    const booked = await bookAppointment(deps, act(), await booking());
    expect(booked).toMatchObject({ status: 'SCHEDULED', version: 1, replayed: false });
    expect(booked.confirmationCode).toMatch(/^[A-Z0-9]{6}$/);
    expect(await rowsFor(booked.appointmentId)).toEqual({ reservations: 2, outbox: 1, audit: 1 });
  });

  it('gives one slot to exactly one of fifty racers and writes nothing for the others', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const racers = await Promise.all(Array.from({ length: 50 }, () => aPatient(database.owner, clinic)));
    const results = await Promise.allSettled(
      racers.map(async (patientId) => bookAppointment(deps, act(), await booking({ providerId, patientId }))),
    );
    const lost = results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown);
    expect(results.length - lost.length).toBe(1);
    expect(lost).toHaveLength(49);
    for (const reason of lost) expect(reason).toMatchObject({ code: 'slot_taken' });
    const { rows } = await sql<{
      n: string;
    }>`select count(*) as n from appointment where provider_id = ${providerId}`.execute(database.owner.db);
    expect(Number(rows[0]?.n)).toBe(1);
  });

  it('gives partly overlapping times of one patient at many providers to one of them', async () => {
    const patientId = await aPatient(database.owner, clinic);
    const providers = await Promise.all(Array.from({ length: 8 }, () => aProvider(database.owner, clinic)));
    const results = await Promise.allSettled(
      providers.map(async (providerId, index) =>
        bookAppointment(
          deps,
          act(),
          await booking({ providerId, patientId, appointmentTime: slotAt(clinic, 4, index % 2 ? '10:00' : '10:15') }),
        ),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'patient_busy' });
    }
  });

  it('lets visits touch but not overlap', async () => {
    const providerId = await aProvider(database.owner, clinic);
    await bookAppointment(deps, act(), await booking({ providerId, appointmentTime: slotAt(clinic, 5, '10:00') }));
    await expect(
      bookAppointment(deps, act(), await booking({ providerId, appointmentTime: slotAt(clinic, 5, '10:30') })),
    ).resolves.toBeDefined();
    await expect(
      bookAppointment(deps, act(), await booking({ providerId, appointmentTime: slotAt(clinic, 5, '10:15') })),
    ).rejects.toMatchObject({ code: 'slot_taken' });
  });

  it('refuses what the rules refuse, saying which', async () => {
    const refused = async (given: Partial<Booking>) =>
      bookAppointment(deps, act(), await booking(given)).then(
        () => 'booked',
        (error: unknown) => (error as { code: string }).code,
      );
    expect(await refused({ appointmentTime: slotAt(clinic, 3, '07:00') })).toBe('outside_hours');
    expect(await refused({ appointmentTime: slotAt(clinic, 3, '10:05') })).toBe('off_grid');
    expect(await refused({ appointmentTime: slotAt(clinic, -1, '10:00') })).toBe('in_the_past');
    expect(await refused({ appointmentTime: slotAt(clinic, 400, '10:00') })).toBe('too_far_ahead');
    expect(await refused({ providerId: crypto.randomUUID() })).toBe('not_found');
    expect(await refused({ patientId: await aPatient(database.owner) })).toBe('not_found');
  });

  it('registers a patient with their own first booking', async () => {
    const patientId = await aPatient(database.owner);
    const patient: Act = { ...act(), actor: { kind: 'patient', id: patientId } };
    const booked = await bookAppointment(deps, patient, await booking({ patientId, registersPatient: true }));
    const registration = await database.owner.db
      .selectFrom('registration')
      .selectAll()
      .where('patient_id', '=', patientId)
      .executeTakeFirst();
    expect(booked.status).toBe('SCHEDULED');
    expect(registration?.clinic_id).toBe(clinic.clinicId);
  });

  it('judges anew when the schedule has changed since it was read', async () => {
    const providerId = await aProvider(database.owner, clinic);
    await bookAppointment(deps, act(), await booking({ providerId, appointmentTime: slotAt(clinic, 6, '09:00') }));
    await database.owner.db.deleteFrom('availability').where('provider_id', '=', providerId).execute();
    await expect(
      bookAppointment(deps, act(), await booking({ providerId, appointmentTime: slotAt(clinic, 6, '10:00') })),
    ).rejects.toMatchObject({ code: 'outside_hours' });
  });

  it('judges anew when the clinic has moved to another zone', async () => {
    const moving = await aClinic(database.owner);
    const elsewhere = { ...act(), clinicId: moving.clinicId };
    const providerId = await aProvider(database.owner, moving);
    const at = async (time: string) =>
      bookAppointment(deps, elsewhere, {
        patientId: await aPatient(database.owner, moving),
        providerId,
        appointmentTime: slotAt(moving, 6, time),
        durationMinutes: 30,
        registersPatient: false,
      });
    await at('10:00');
    await database.owner.db
      .updateTable('clinic')
      .set({ time_zone: 'America/New_York' })
      .where('clinic_id', '=', moving.clinicId)
      .execute();
    await expect(at('11:00')).rejects.toMatchObject({ code: 'outside_hours' });
  });

  it('stops at the provider’s daily limit under concurrency', async () => {
    const providerId = await aProvider(database.owner, clinic, { maxDailyAppointments: 3 });
    const times = ['08:00', '09:00', '10:00', '11:00', '12:00', '13:00', '14:00', '15:00'];
    const results = await Promise.allSettled(
      times.map(async (time) =>
        bookAppointment(deps, act(), await booking({ providerId, appointmentTime: slotAt(clinic, 7, time) })),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(3);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'day_full' });
  });

  it('answers a repeated key with the first answer, whatever the rules say by now, and another body with a refusal', async () => {
    const idempotency = { caller: 'desk', route: 'POST /appointments', key: 'key-1', fingerprint: 'a' };
    const wanted = await booking({ idempotency });
    const first = await bookAppointment(deps, act(), wanted);
    const again = await bookAppointment(deps, act(), wanted);
    expect(again).toEqual({ ...first, replayed: true });
    const muchLater: Act = { ...act(), now: new Date(Date.now() + 30 * 86_400_000) };
    expect(await bookAppointment(deps, muchLater, wanted)).toEqual({ ...first, replayed: true });
    await expect(
      bookAppointment(deps, act(), { ...wanted, idempotency: { ...idempotency, fingerprint: 'b' } }),
    ).rejects.toMatchObject({ code: 'idempotency_mismatch' });
    const elsewhere = await bookAppointment(deps, act(), {
      ...(await booking()),
      idempotency: { ...idempotency, caller: 'another desk' },
    });
    expect(elsewhere.appointmentId).not.toBe(first.appointmentId);
  });

  it('books once for ten parallel requests under one key', async () => {
    const wanted = await booking({
      idempotency: { caller: 'desk', route: 'POST /appointments', key: 'key-2', fingerprint: 'a' },
    });
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => bookAppointment(deps, act(), wanted)));
    const ids = new Set(
      results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.appointmentId] : [])),
    );
    expect(ids.size).toBe(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'idempotency_in_progress' });
  });

  it('counts a visit on the day of its own start, not on that of the buffer before it', async () => {
    const policy = { bufferBeforeMinutes: 10, slotStepMinutes: 5 };
    const there = await aClinic(database.owner, { policy });
    const hours = { startTime: '00:00', endTime: '00:00', maxDailyAppointments: 1 };
    const providerId = await aProvider(database.owner, there, hours);
    const codeOf = async (days: number, time: string) => {
      const patientId = await aPatient(database.owner, there);
      const visit = { patientId, providerId, appointmentTime: slotAt(there, days, time), durationMinutes: 30 };
      return bookAppointment(deps, { ...act(), clinicId: there.clinicId }, { ...visit, registersPatient: false }).then(
        () => 'booked',
        (error: unknown) => (error as { code: string }).code,
      );
    };
    // Its buffer begins at 23:55 of the day before.
    expect(await codeOf(4, '00:05')).toBe('booked');
    expect(await codeOf(4, '20:00')).toBe('day_full');
    expect(await codeOf(3, '20:00')).toBe('booked');
    expect(await codeOf(3, '10:00')).toBe('day_full');
  });

  it('goes red without the guard: the constraint dropped and the look before the write blinded, two overlapping visits get in', async () => {
    const bare = await createTestDatabase();
    try {
      await sql`alter table reservation drop constraint reservation_no_overlap`.execute(bare.owner.db);
      await sql.raw(BLINDED).execute(bare.owner.db);
      const there = await aClinic(bare.owner);
      const providerId = await aProvider(bare.owner, there);
      const patients = await Promise.all([aPatient(bare.owner, there), aPatient(bare.owner, there)]);
      const bareDeps = createSchedulingDeps(bare.app);
      const results = await Promise.allSettled(
        patients.map((patientId) =>
          bookAppointment(
            bareDeps,
            { ...act(), clinicId: there.clinicId },
            {
              patientId,
              providerId,
              appointmentTime: slotAt(there, 3, '10:00'),
              durationMinutes: 30,
              registersPatient: false,
            },
          ),
        ),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(2);
    } finally {
      await bare.drop();
    }
  });

  it('is still refused by the constraint alone when the look before the write is blinded', async () => {
    const bare = await createTestDatabase();
    try {
      await sql.raw(BLINDED).execute(bare.owner.db);
      const there = await aClinic(bare.owner);
      const providerId = await aProvider(bare.owner, there);
      const bareDeps = createSchedulingDeps(bare.app);
      const patients = await Promise.all(Array.from({ length: 10 }, () => aPatient(bare.owner, there)));
      const results = await Promise.allSettled(
        patients.map((patientId) =>
          bookAppointment(
            bareDeps,
            { ...act(), clinicId: there.clinicId },
            {
              patientId,
              providerId,
              appointmentTime: slotAt(there, 3, '10:00'),
              durationMinutes: 30,
              registersPatient: false,
            },
          ),
        ),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'slot_taken' });
    } finally {
      await bare.drop();
    }
  });
});
