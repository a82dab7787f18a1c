import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { auditOf } from '../../../src/db/audit.ts';
import { inContext } from '../../../src/db/connection.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { aClinic, aPatient, aProvider, dateIn, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('filling a round', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const act = (now = new Date()): Act => ({
    actor: { kind: 'system', id: 'waitlist' },
    clinicId: clinic.clinicId,
    now,
  });
  const STOP_BEFORE_MS = 120 * 60_000;

  /** A freed slot for which one patient waits. */
  async function aRound() {
    const providerId = await aProvider(database.owner, clinic);
    const [gone, waiting] = [await aPatient(database.owner, clinic), await aPatient(database.owner, clinic)];
    const visit = { providerId, appointmentTime: slotAt(clinic, 5, '10:00'), durationMinutes: 30 };
    const booked = await bookAppointment(deps, act(), { ...visit, patientId: gone, registersPatient: false });
    const dates = { earliestDate: dateIn(clinic, 5), latestDate: dateIn(clinic, 5) };
    const wish = { patientId: waiting, providerId, durationMinutes: 30, ...dates, registersPatient: false };
    await joinWaitlist(deps, act(), wish);
    const { appointmentId } = booked;
    const { roundId = '' } = await cancelAppointment(deps, act(), { appointmentId, reason: 'patient_request' });
    return { providerId, waiting, roundId, slot: visit.appointmentTime };
  }

  const audit = (roundId: string) =>
    inContext(database.app.db, { clinicId: clinic.clinicId }, (tx) => auditOf(tx, 'waitlist_round', roundId));

  it('gives the slot back when it is too late to fill it, and says so', async () => {
    const { roundId, slot } = await aRound();
    const late = act(new Date(slot.getTime() - STOP_BEFORE_MS + 1));
    expect(await fillRound(deps, late, { roundId })).toEqual({ outcome: 'released', reason: 'too_late' });
    expect(await audit(roundId)).toMatchObject([{ action: 'released', detail: { reason: 'too_late' } }]);
  });

  it('books in the last moment in which the clinic still wants it', async () => {
    const { roundId, slot, waiting } = await aRound();
    const last = act(new Date(slot.getTime() - STOP_BEFORE_MS));
    const outcome = await fillRound(deps, last, { roundId });
    expect(outcome).toMatchObject({ outcome: 'filled' });
    const visits = await database.owner.db
      .selectFrom('appointment')
      .select(['booked_via', 'status'])
      .where('patient_id', '=', waiting)
      .execute();
    expect(visits).toEqual([{ booked_via: 'waitlist', status: 'SCHEDULED' }]);
    expect(await fillRound(deps, last, { roundId })).toEqual({ outcome: 'closed' });
  });

  it('passes over who has the time already, and says why', async () => {
    const { roundId, slot, waiting } = await aRound();
    const elsewhere = await aProvider(database.owner, clinic, { specialty: 'Another' });
    const busy = { patientId: waiting, providerId: elsewhere, appointmentTime: slot, durationMinutes: 30 };
    await bookAppointment(deps, act(), { ...busy, registersPatient: false });
    expect(await fillRound(deps, act(), { roundId })).toEqual({ outcome: 'released', reason: 'nobody_fits' });
    const offers = await database.owner.db
      .selectFrom('round_candidate')
      .select(['state', 'reason'])
      .where('round_id', '=', roundId)
      .execute();
    expect(offers).toEqual([{ state: 'PASSED', reason: 'patient_busy' }]);
  });

  it('books nobody who has a visit with the provider ahead meanwhile: they wait no more', async () => {
    const { roundId, waiting, providerId } = await aRound();
    const own = { patientId: waiting, providerId, appointmentTime: slotAt(clinic, 6, '11:00'), durationMinutes: 30 };
    await bookAppointment(deps, act(), { ...own, registersPatient: false });
    expect(await fillRound(deps, act(), { roundId })).toEqual({ outcome: 'released', reason: 'nobody_fits' });
    expect(await visitsOf(waiting)).toHaveLength(1);
  });

  it('books a patient once who waits for the provider and for the specialty, though two slots are freed', async () => {
    const providerId = await aProvider(database.owner, clinic, { specialty: 'Dermatology' });
    const patientId = await aPatient(database.owner, clinic);
    const dates = { earliestDate: dateIn(clinic, 5), latestDate: dateIn(clinic, 5) };
    const wish = { patientId, durationMinutes: 30, ...dates, registersPatient: false };
    const visits: string[] = [];
    for (const time of ['10:00', '14:00']) {
      const visit = { providerId, appointmentTime: slotAt(clinic, 5, time), durationMinutes: 30 };
      const gone = await aPatient(database.owner, clinic);
      visits.push(
        (await bookAppointment(deps, act(), { ...visit, patientId: gone, registersPatient: false })).appointmentId,
      );
    }
    await joinWaitlist(deps, act(), { ...wish, providerId });
    await joinWaitlist(deps, act(), { ...wish, specialty: 'Dermatology' });
    const rounds: string[] = [];
    for (const appointmentId of visits) {
      const { roundId = '' } = await cancelAppointment(deps, act(), { appointmentId, reason: 'patient_request' });
      rounds.push(roundId);
    }
    await Promise.all(rounds.map((roundId) => fillRound(deps, act(), { roundId })));
    expect(await visitsOf(patientId)).toHaveLength(1);
  });

  it('opens no round for a wish whose last date is over', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const [gone, patientId] = [await aPatient(database.owner, clinic), await aPatient(database.owner, clinic)];
    const visit = { providerId, appointmentTime: slotAt(clinic, 5, '10:00'), durationMinutes: 30 };
    const { appointmentId } = await bookAppointment(deps, act(), {
      ...visit,
      patientId: gone,
      registersPatient: false,
    });
    const dates = { earliestDate: dateIn(clinic, 5), latestDate: dateIn(clinic, 5) };
    await joinWaitlist(deps, act(), { patientId, providerId, durationMinutes: 30, ...dates, registersPatient: false });
    await sql`update waitlist_entry set earliest_date = '2020-01-01', latest_date = '2020-01-02' where patient_id = ${patientId}`.execute(
      database.owner.db,
    );
    const cancelled = await cancelAppointment(deps, act(), { appointmentId, reason: 'patient_request' });
    expect(cancelled.roundId).toBeUndefined();
  });

  const visitsOf = (patientId: string) =>
    database.owner.db.selectFrom('appointment').select('appointment_id').where('patient_id', '=', patientId).execute();
});
