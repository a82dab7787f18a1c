import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, inContext, type Connection } from '../../../src/db/connection.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { placeHold } from '../../../src/scheduling/claims/hold.ts';
import { checkIn } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment, type Booking } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { aClinic, aPatient, aProvider, dateIn, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

/*
 * What a door costs under its provider's lock is how often it waits for PostgreSQL: every round trip ends with one ReadyForQuery on the wire. Begin and
 * commit included, the rules known.
 */
describe('round trips to PostgreSQL', () => {
  let database: TestDatabase;
  let app: Connection;
  let deps: SchedulingDeps;
  let clinic: Clinic;
  let providerId: string;
  let trips = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = createConnection({ url: database.urls.appUrl, poolSize: 1, name: 'test-round-trips' });
    app.pool.on('connect', (client) => {
      const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
      connection.on('readyForQuery', () => (trips += 1));
    });
    deps = createSchedulingDeps(app);
    clinic = await aClinic(database.owner, { policy: { maxUpcomingPerPatient: 5 } });
    providerId = await aProvider(database.owner, clinic);
    // The connection is open, and the rules are known.
    await deps.schedules.get(clinic.clinicId, providerId);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const act = (now = new Date()): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now });
  const at = (day: number, time = '10:00') => slotAt(clinic, day, time);

  async function booked(appointmentTime: Date, more: Partial<Booking> = {}) {
    const patientId = await aPatient(database.owner, clinic);
    const booking = { patientId, providerId, appointmentTime, durationMinutes: 30, registersPatient: false, ...more };
    return { patientId, ...(await bookAppointment(deps, act(), booking)) };
  }

  async function waits(day: number): Promise<string> {
    const patientId = await aPatient(database.owner, clinic);
    const dates = { earliestDate: dateIn(clinic, day), latestDate: dateIn(clinic, day) };
    await joinWaitlist(deps, act(), { patientId, providerId, durationMinutes: 30, ...dates, registersPatient: false });
    return patientId;
  }

  async function tripsOf(door: () => Promise<unknown>): Promise<number> {
    const before = trips;
    await door();
    return trips - before;
  }

  it('are one for a booking, under a key or not', async () => {
    const patientId = await aPatient(database.owner, clinic);
    const booking = { patientId, providerId, durationMinutes: 30, registersPatient: false };
    const idempotency = { caller: 'desk', route: 'POST /appointments', key: 'key-1', fingerprint: 'a' };
    expect(await tripsOf(() => bookAppointment(deps, act(), { ...booking, appointmentTime: at(2) }))).toBe(1);
    const keyed = { ...booking, appointmentTime: at(3), idempotency };
    expect(await tripsOf(() => bookAppointment(deps, act(), keyed))).toBe(1);
    expect(await tripsOf(() => bookAppointment(deps, act(), keyed))).toBe(1);
  });

  it('are one for the booking of a held slot', async () => {
    const slot = { providerId, slotStart: at(4), durationMinutes: 30, heldBy: 'desk' };
    const { hold } = await placeHold(deps, act(), slot);
    const patientId = await aPatient(database.owner, clinic);
    const held = { patientId, providerId, appointmentTime: at(4), durationMinutes: 30, registersPatient: false };
    const claim = { holdId: hold.hold_id, heldBy: 'desk' };
    expect(await tripsOf(() => bookAppointment(deps, act(), { ...held, hold: claim }))).toBe(1);
  });

  it('are at most five for a hold', async () => {
    const slot = { providerId, slotStart: at(5), durationMinutes: 30, heldBy: 'desk' };
    expect(await tripsOf(() => placeHold(deps, act(), slot))).toBeLessThanOrEqual(5);
  });

  it('are at most four for a check-in', async () => {
    const { appointmentId } = await booked(at(6));
    expect(await tripsOf(() => checkIn(deps, act(at(6)), { appointmentId }))).toBeLessThanOrEqual(4);
  });

  it('are at most eight for a cancelling that opens a round, and for the filling of it', async () => {
    const { appointmentId } = await booked(at(7));
    const waiting = await waits(7);
    let roundId: string | undefined;
    const cancel = async () => {
      ({ roundId } = await cancelAppointment(deps, act(), { appointmentId, reason: 'patient_request' }));
    };
    expect(await tripsOf(cancel)).toBeLessThanOrEqual(8);
    expect(roundId).toBeDefined();
    const filled = async () => {
      expect(await fillRound(deps, act(), { roundId: roundId ?? '' })).toMatchObject({ outcome: 'filled' });
    };
    expect(await tripsOf(filled)).toBeLessThanOrEqual(8);
    const visits = await inContext(app.db, { clinicId: clinic.clinicId }, (tx) =>
      tx.selectFrom('appointment').select('booked_via').where('patient_id', '=', waiting).execute(),
    );
    expect(visits).toEqual([{ booked_via: 'waitlist' }]);
  });

  it('are at most eight for a move whose old time starts a round', async () => {
    const { appointmentId, version } = await booked(at(8));
    await waits(8);
    const move = { appointmentId, expectedVersion: version, appointmentTime: at(9) };
    expect(await tripsOf(() => moveAppointment(deps, act(), move))).toBeLessThanOrEqual(8);
    const rounds = await database.owner.db
      .selectFrom('waitlist_round')
      .select('state')
      .where('freed_appointment_id', '=', appointmentId)
      .execute();
    expect(rounds).toEqual([{ state: 'OPEN' }]);
  });
});
