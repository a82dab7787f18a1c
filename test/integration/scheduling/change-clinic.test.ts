import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { DEFAULT_POLICY, type ClinicPolicy } from '../../../src/domain/policy.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { changeClinic, changePolicy } from '../../../src/scheduling/registry/clinic.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

let database: TestDatabase;
let deps: SchedulingDeps;

beforeAll(async () => {
  database = await createTestDatabase();
  deps = createSchedulingDeps(database.app);
});
afterAll(() => database.drop());

const actAt = (clinic: Clinic): Act => ({
  actor: { kind: 'staff', id: 'desk' },
  clinicId: clinic.clinicId,
  now: new Date(),
});

const QUARTERS: ClinicPolicy = { ...DEFAULT_POLICY, slotStepMinutes: 15 };
const HOURS: ClinicPolicy = { ...DEFAULT_POLICY, slotStepMinutes: 60 };

/** Books a quarter past an hour: on the grid of quarters, off the grid of hours. */
const bookQuarterPast = async (clinic: Clinic, providerId: string, days: number, patientId?: string) =>
  bookAppointment(deps, actAt(clinic), {
    patientId: patientId ?? (await aPatient(database.owner, clinic)),
    providerId,
    appointmentTime: slotAt(clinic, days, '10:15'),
    durationMinutes: 30,
    registersPatient: false,
  });

/** How many sessions of this database wait for an advisory lock, or for a row that another transaction has locked. */
const waiting = async (what: 'advisory' | 'transactionid') => {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_locks join pg_stat_activity using (pid)
    where datname = current_database() and locktype = ${what} and not granted`.execute(database.owner.db);
  return rows[0]?.n;
};

/** Runs `work` while another transaction does `before` and has not ended. */
async function during(before: (tx: typeof database.owner.db) => Promise<unknown>, work: () => Promise<void>) {
  await database.owner.db.transaction().execute(async (tx) => {
    await before(tx);
    await work();
  });
}

describe('a policy change', () => {
  it('waits for the bookings that are under way', async () => {
    const clinic = await aClinic(database.owner);
    let changing: Promise<unknown> | undefined;
    let done = false;
    await during(
      (tx) => sql`select lock_clinic_shared(${clinic.clinicId})`.execute(tx),
      async () => {
        changing = changePolicy(deps, actAt(clinic), { expectedVersion: 1, policy: HOURS }).then(() => (done = true));
        await eventually(async () => expect(await waiting('advisory')).toBe(1));
        expect(done).toBe(false);
      },
    );
    await changing;
    expect(done).toBe(true);
  });

  it('keeps bookings out until it is written, and they are judged anew', async () => {
    const clinic = await aClinic(database.owner, { policy: QUARTERS });
    const providerId = await aProvider(database.owner, clinic);
    const patientId = await aPatient(database.owner, clinic);
    await bookQuarterPast(clinic, providerId, 3);
    let changing: Promise<unknown> | undefined;
    let booking: Promise<unknown> | undefined;
    // Whoever holds the row stops the change between its lock and its commit.
    await during(
      (tx) => tx.selectFrom('clinic').selectAll().where('clinic_id', '=', clinic.clinicId).forNoKeyUpdate().execute(),
      async () => {
        changing = changePolicy(deps, actAt(clinic), { expectedVersion: 1, policy: HOURS });
        await eventually(async () => expect(await waiting('transactionid')).toBe(1));
        booking = bookQuarterPast(clinic, providerId, 4, patientId).catch((error: unknown) => error);
        await eventually(async () => expect(await waiting('advisory')).toBe(1));
      },
    );
    await changing;
    expect(await booking).toMatchObject({ code: 'off_grid' });
  });

  it('leaves what is booked under the policy it was promised', async () => {
    const clinic = await aClinic(database.owner, { policy: QUARTERS });
    const providerId = await aProvider(database.owner, clinic);
    const { appointmentId } = await bookQuarterPast(clinic, providerId, 3);
    await changePolicy(deps, actAt(clinic), { expectedVersion: 1, policy: HOURS });
    const promised = await database.owner.db
      .selectFrom('appointment')
      .innerJoin('clinic_policy', (join) =>
        join
          .onRef('clinic_policy.clinic_id', '=', 'appointment.clinic_id')
          .onRef('clinic_policy.policy_version', '=', 'appointment.policy_version'),
      )
      .select('clinic_policy.policy')
      .where('appointment_id', '=', appointmentId)
      .executeTakeFirst();
    expect(promised?.policy).toEqual(QUARTERS);
  });

  it('racing bookings never lets one through that the policy of the moment refuses', async () => {
    const clinic = await aClinic(database.owner, { policy: QUARTERS });
    const providerIds = await Promise.all(Array.from({ length: 4 }, () => aProvider(database.owner, clinic)));
    const answers: string[] = [];
    const flip = async () => {
      for (let version = 1; version <= 12; version += 1) {
        const policy = version % 2 === 1 ? HOURS : QUARTERS;
        await changePolicy(deps, actAt(clinic), { expectedVersion: version, policy });
      }
    };
    const book = async (providerId: string) => {
      for (let days = 2; days < 22; days += 1) {
        answers.push(
          await bookQuarterPast(clinic, providerId, days).then(
            () => 'booked',
            (error: unknown) => (error as { code: string }).code,
          ),
        );
      }
    };
    await Promise.all([flip(), ...providerIds.map(book)]);
    // A change may overtake a booking again and again: it is told to come back, and nothing is written.
    expect(['booked', 'off_grid', 'temporarily_unavailable']).toEqual(expect.arrayContaining([...new Set(answers)]));
    expect(answers).toContain('booked');
    expect(answers).toContain('off_grid');

    // Both are audited under the clinic's lock, so the audit has them in the order in which they held.
    const events = await database.owner.db
      .selectFrom('audit_event')
      .leftJoin('appointment', 'appointment.appointment_id', 'audit_event.entity_id')
      .select(['audit_event.action', 'audit_event.detail', 'appointment.policy_version'])
      .where('audit_event.clinic_id', '=', clinic.clinicId)
      .orderBy('audit_id')
      .execute();
    let inForce = 1;
    for (const { action, detail, policy_version: promised } of events) {
      if (action === 'policy_changed') inForce = Number(detail['policyVersion']);
      else
        expect({ action, promised, onTheGrid: inForce % 2 }).toEqual({
          action: 'booked',
          promised: inForce,
          onTheGrid: 1,
        });
    }
    expect(inForce).toBe(13);
  });
});

describe('a change of the zone', () => {
  it('makes every schedule that was read before it stale', async () => {
    const clinic = await aClinic(database.owner, { timeZone: 'Europe/Berlin' });
    const providerId = await aProvider(database.owner, clinic);
    await bookQuarterPast(clinic, providerId, 3);
    await changeClinic(deps, actAt(clinic), { expectedVersion: 1, timeZone: 'Pacific/Auckland' });
    await expect(bookQuarterPast(clinic, providerId, 4)).rejects.toMatchObject({ code: 'outside_hours' });
  });

  it('says how many visits of all providers it leaves outside their hours; another name leaves none', async () => {
    const clinic = await aClinic(database.owner, { timeZone: 'Europe/Berlin' });
    for (let provider = 0; provider < 3; provider += 1) {
      await bookQuarterPast(clinic, await aProvider(database.owner, clinic), 3);
    }
    const change = (given: object) => changeClinic(deps, actAt(clinic), { expectedVersion: 1, ...given });
    expect(await change({ timeZone: 'Europe/Berlin' })).toMatchObject({ affectedAppointments: 0, version: 1 });
    expect(await change({ timeZone: 'Pacific/Auckland' })).toMatchObject({ affectedAppointments: 3, version: 2 });
    expect(
      await changeClinic(deps, actAt(clinic), { expectedVersion: 2, name: 'Riverside', timeZone: 'Pacific/Auckland' }),
    ).toMatchObject({ affectedAppointments: 0 });
  });
});
