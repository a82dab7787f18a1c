import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, type Connection } from '../../../src/db/connection.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createSchedulingDeps, type Act } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { cancelSeries } from '../../../src/scheduling/visits/cancel-series.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { aClinic, aPatient, aProvider, slotAt } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { deadlocksIn } from '../../support/deadlocks.ts';
import { integrityFaults } from '../../support/integrity.ts';
import { diceOf, drawSeed } from '../../support/seed.ts';

const OPERATIONS = 600;
const CLIENTS = 8;
const TIMES = ['09:00', '09:15', '09:30', '10:00', '10:15', '10:30'];

/** What may be said to somebody who comes too late. */
const LEGAL = new Set([
  'ok',
  'series_clash',
  'slot_taken',
  'patient_busy',
  'version_mismatch',
  'appointment_not_scheduled',
]);

describe('series and single visits that are booked, moved and cancelled at once', () => {
  let database: TestDatabase;
  let app: Connection;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = createConnection({
      url: database.urls.appUrl,
      poolSize: CLIENTS,
      name: 'test-races',
      onError: () => undefined,
    });
  });
  afterAll(() => database.drop());

  it('leave no overlap, no half series and nobody whom no message speaks for, and deadlock never', async () => {
    const { owner } = database;
    const dice = diceOf(drawSeed('racing series'));
    const clinic = await aClinic(owner);
    const providers = await Promise.all([1, 2, 3].map(() => aProvider(owner, clinic)));
    const patients = await Promise.all([1, 2, 3, 4].map(() => aPatient(owner, clinic)));
    const deps = createSchedulingDeps(app);
    const act = (): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() });

    const known: string[] = [];
    const aStart = () => slotAt(clinic, 3 + dice.below(21), dice.pick(TIMES));
    const aWish = () => ({
      patientId: dice.pick(patients),
      providerId: dice.pick(providers),
      appointmentTime: aStart(),
      durationMinutes: 30,
      registersPatient: false,
    });
    const bookOne = async () => {
      if (dice.below(2) === 0) known.push((await bookAppointment(deps, act(), aWish())).appointmentId);
      else {
        const rhythm = { everyWeeks: 1 + dice.below(2), count: 2 + dice.below(5) };
        const { appointments } = await bookSeries(deps, act(), { ...aWish(), ...rhythm }, undefined);
        known.push(...appointments.map(({ appointmentId }) => appointmentId));
      }
    };
    const changeOne = async (appointmentId: string) => {
      const { version } = await owner.db
        .selectFrom('appointment')
        .select('version')
        .where('appointment_id', '=', appointmentId)
        .executeTakeFirstOrThrow();
      const move = {
        appointmentId,
        expectedVersion: version,
        appointmentTime: aStart(),
        ...(dice.below(3) === 0 ? { providerId: dice.pick(providers) } : {}),
      };
      const cancellation = { appointmentId, reason: 'other' as const };
      await dice.pick([
        () => moveAppointment(deps, act(), move),
        () => moveSeries(deps, act(), move),
        () => moveSeries(deps, act(), move),
        () => cancelAppointment(deps, act(), cancellation),
        () => cancelSeries(deps, act(), cancellation),
      ])();
    };

    const answers = new Map<string, number>();
    let left = OPERATIONS;
    const client = async () => {
      while (left > 0) {
        left -= 1;
        const attempt = known.length === 0 || dice.below(2) === 0 ? bookOne() : changeOne(dice.pick(known));
        const answer = await attempt.then(
          () => 'ok',
          (error: unknown) => (error instanceof AppError ? error.code : String(error)),
        );
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    process.stderr.write(`${JSON.stringify(Object.fromEntries(answers))}\n`);

    expect([...answers.keys()].filter((answer) => !LEGAL.has(answer))).toEqual([]);
    expect(answers.get('ok')).toBeGreaterThan(OPERATIONS / 10);
    expect(answers.get('series_clash')).toBeGreaterThan(0);
    expect(await integrityFaults(owner)).toEqual([]);

    // Nobody was told of anything here: so every visit speaks for itself, or somebody of its series, who speaks for several, speaks for it.
    const visits = await owner.db.selectFrom('appointment').selectAll().execute();
    const byId = new Map(visits.map((row) => [row.appointment_id, row]));
    const unspokenFor = visits.filter(({ announced_by: by, series_id: seriesId, provider_id: providerId }) => {
      if (by === null) return false;
      const speaker = byId.get(by);
      return !(
        speaker?.announced_by === null &&
        speaker.series_id === seriesId &&
        speaker.provider_id === providerId &&
        speaker.notice_visits > 1
      );
    });
    expect(unspokenFor).toEqual([]);

    await app.close();
    expect(await deadlocksIn(owner)).toBe(0);
  }, 120_000);
});
