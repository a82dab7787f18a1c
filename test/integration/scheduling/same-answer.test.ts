import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { AppError, SeriesClashError } from '../../../src/domain/errors.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { placeHold } from '../../../src/scheduling/claims/hold.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { aClinic, aPatient, aProvider, dateIn, slotAt } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { ASKS_EVERYTHING, drawSeed } from '../../support/seed.ts';

// A world for each door and draw.
jest.setTimeout(300_000);

const DRAWS = ASKS_EVERYTHING ? 300 : 25;
const DURATION = 30;
/** The day about which everybody asks, most of the time. */
const DAY = 4;

interface World {
  readonly policy: {
    readonly bufferBeforeMinutes: number;
    readonly bufferAfterMinutes: number;
    readonly maxUpcomingPerPatient: number | null;
    readonly maxUpcomingPerProviderAndPatient: number | null;
  };
  readonly maxDailyAppointments: number;
  /** Who has what on the day: of somebody else, or of the patient with this provider or another one; or a hold, or a freed slot kept for its round. */
  readonly taken: readonly {
    readonly what: 'visit' | 'own' | 'elsewhere' | 'hold' | 'round';
    readonly time: string;
  }[];
  /** The place that every door is asked for. */
  readonly days: number;
  readonly time: string;
}

const timeOfDay = fc
  .integer({ min: 0, max: 15 })
  .map(
    (quarters) =>
      `${String(8 + Math.floor(quarters / 4)).padStart(2, '0')}:${['00', '15', '30', '45'][quarters % 4] ?? ''}`,
  );
const limit = fc.constantFrom(null, null, 1, 2);
const anyWorld: fc.Arbitrary<World> = fc.record({
  policy: fc.record({
    bufferBeforeMinutes: fc.constantFrom(0, 0, 10),
    bufferAfterMinutes: fc.constantFrom(0, 0, 5, 20),
    maxUpcomingPerPatient: limit,
    maxUpcomingPerProviderAndPatient: limit,
  }),
  maxDailyAppointments: fc.constantFrom(2, 3, 99),
  taken: fc.array(
    fc.record({ what: fc.constantFrom('visit', 'visit', 'own', 'elsewhere', 'hold', 'round'), time: timeOfDay }),
    { maxLength: 4 },
  ),
  days: fc.constantFrom(DAY, DAY, DAY, DAY, DAY, DAY, DAY, DAY, -1, 100),
  time: fc.oneof(
    { weight: 8, arbitrary: timeOfDay },
    { weight: 1, arbitrary: fc.constantFrom('10:07', '07:30', '20:00') },
  ),
});

const PLAIN: World = {
  policy: {
    bufferBeforeMinutes: 0,
    bufferAfterMinutes: 0,
    maxUpcomingPerPatient: null,
    maxUpcomingPerProviderAndPatient: null,
  },
  maxDailyAppointments: 99,
  taken: [],
  days: DAY,
  time: '10:00',
};
const own = (time: string) => ({ what: 'own', time }) as const;

/** Every refusal, whatever is drawn; several at once where their order is to be seen. */
const REFUSALS: Readonly<Record<string, World>> = {
  taken: PLAIN,
  in_the_past: { ...PLAIN, days: -1 },
  too_far_ahead: { ...PLAIN, days: 100, time: '10:07' },
  off_grid: { ...PLAIN, time: '10:07', taken: [own('10:00')] },
  outside_hours: { ...PLAIN, time: '07:30' },
  slot_taken: {
    ...PLAIN,
    policy: { ...PLAIN.policy, bufferBeforeMinutes: 10, maxUpcomingPerPatient: 1 },
    maxDailyAppointments: 1,
    taken: [own('09:30')],
  },
  patient_busy: { ...PLAIN, maxDailyAppointments: 1, taken: [{ what: 'elsewhere', time: '10:15' }, own('08:00')] },
  day_full: {
    ...PLAIN,
    maxDailyAppointments: 1,
    policy: { ...PLAIN.policy, maxUpcomingPerPatient: 1 },
    taken: [own('08:00')],
  },
  too_many_upcoming: {
    ...PLAIN,
    policy: { ...PLAIN.policy, maxUpcomingPerPatient: 1, maxUpcomingPerProviderAndPatient: 1 },
    taken: [own('08:00')],
  },
  too_many_upcoming_with_provider: {
    ...PLAIN,
    policy: { ...PLAIN.policy, maxUpcomingPerProviderAndPatient: 1 },
    taken: [own('08:00')],
  },
};

describe('every door that is asked for the same place', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
  });
  afterAll(() => database.drop());

  /** The world anew, as every answer changes it. */
  async function aWorld(world: World) {
    const clinic = await aClinic(database.owner, {
      policy: {
        ...world.policy,
        bookingHorizonDays: 60,
        waitlist: { mode: 'auto-book', stopBeforeMinutes: 0 },
      },
    });
    const hours = { startTime: '08:00', endTime: '12:00', maxDailyAppointments: world.maxDailyAppointments };
    const providerId = await aProvider(database.owner, clinic, hours);
    const other = await aProvider(database.owner, clinic, { startTime: '00:00', endTime: '00:00', specialty: 'Other' });
    const [patientId, stranger] = [await aPatient(database.owner, clinic), await aPatient(database.owner, clinic)];
    const act: Act = { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() };
    const everything = ['too_many_upcoming', 'too_many_upcoming_with_provider', 'day_full'] as const;
    const book = (whose: string, provider: string, appointmentTime: Date) =>
      bookAppointment(deps, act, {
        patientId: whose,
        providerId: provider,
        appointmentTime,
        durationMinutes: DURATION,
        registersPatient: false,
        override: { rules: everything, reason: 'so is the world' },
      });
    // What is there is there whatever the limits say, so that the place is the one thing that they are asked about.
    const moving = await book(patientId, other, slotAt(clinic, DAY + 2, '10:00'));
    for (const { what, time } of world.taken) {
      const at = slotAt(clinic, DAY, time);
      const somebody = await aPatient(database.owner, clinic);
      try {
        if (what === 'hold') {
          await placeHold(deps, act, { providerId, slotStart: at, durationMinutes: DURATION, heldBy: somebody });
        } else if (what === 'round') {
          const dates = { earliestDate: dateIn(clinic, DAY), latestDate: dateIn(clinic, DAY) };
          const wish = {
            patientId: somebody,
            providerId,
            durationMinutes: DURATION,
            ...dates,
            registersPatient: false,
          };
          await joinWaitlist(deps, act, wish);
          const freed = await book(await aPatient(database.owner, clinic), providerId, at);
          await cancelAppointment(deps, act, { appointmentId: freed.appointmentId, reason: 'other' });
        } else {
          await book(what === 'visit' ? somebody : patientId, what === 'elsewhere' ? other : providerId, at);
        }
      } catch (error) {
        // Somebody has the time already.
        if (!(error instanceof AppError)) throw error;
      }
    }
    return { clinic, act, providerId, patientId, stranger, moving, at: slotAt(clinic, world.days, world.time) };
  }

  type Made = Awaited<ReturnType<typeof aWorld>>;

  /** The refusal's code; of a series that of the place itself. */
  async function answerOf(made: Made, ask: () => Promise<unknown>): Promise<string> {
    try {
      await ask();
      return 'taken';
    } catch (error) {
      if (error instanceof SeriesClashError) {
        return error.clashes.find((each) => each.appointmentTime.getTime() === made.at.getTime())?.code ?? 'taken';
      }
      if (error instanceof AppError) return error.code;
      throw error;
    }
  }

  const booking = (made: Made, patientId: string) => ({
    patientId,
    providerId: made.providerId,
    appointmentTime: made.at,
    durationMinutes: DURATION,
    registersPatient: false,
  });

  /** Undefined: the door cannot be asked for this place. */
  const doors: Record<string, (made: Made) => Promise<string | undefined>> = {
    book: (made) => answerOf(made, () => bookAppointment(deps, made.act, booking(made, made.patientId))),
    'book held': async (made) => {
      const slot = { providerId: made.providerId, slotStart: made.at, durationMinutes: DURATION, heldBy: 'desk' };
      const held = await placeHold(deps, made.act, slot).catch(() => undefined);
      if (held === undefined) return undefined;
      const hold = { holdId: held.hold.hold_id, heldBy: 'desk' };
      return answerOf(made, () => bookAppointment(deps, made.act, { ...booking(made, made.patientId), hold }));
    },
    series: (made) => {
      const series = { ...booking(made, made.patientId), everyWeeks: 1, count: 2 };
      return answerOf(made, () => bookSeries(deps, made.act, series, undefined));
    },
    move: (made) => {
      const { appointmentId, version } = made.moving;
      const to = { appointmentId, expectedVersion: version, providerId: made.providerId, appointmentTime: made.at };
      return answerOf(made, () => moveAppointment(deps, made.act, to));
    },
    'move of a series': (made) => {
      const { appointmentId, version } = made.moving;
      const to = { appointmentId, expectedVersion: version, providerId: made.providerId, appointmentTime: made.at };
      return answerOf(made, () => moveSeries(deps, made.act, to));
    },
    round: async (made) => {
      const roundId = await keptForRound(made);
      if (roundId === undefined) return undefined;
      const outcome = await fillRound(deps, made.act, { roundId });
      const [passed] = await database.owner.db
        .selectFrom('round_candidate')
        .select('reason')
        .where('round_id', '=', roundId)
        .where('state', '=', 'PASSED')
        .execute();
      if (outcome.outcome === 'filled') return 'taken';
      return (
        passed?.reason ?? (outcome.outcome === 'released' && outcome.reason !== 'too_late' ? outcome.reason : undefined)
      );
    },
    hold: (made) =>
      answerOf(made, () =>
        placeHold(deps, made.act, {
          providerId: made.providerId,
          slotStart: made.at,
          durationMinutes: DURATION,
          heldBy: 'desk',
        }),
      ),
    'book for a stranger': (made) =>
      answerOf(made, () => bookAppointment(deps, made.act, booking(made, made.stranger))),
  };

  /** A round that keeps the visit's own time, for which the patient waits; none where somebody has that. */
  async function keptForRound({ clinic, act, providerId, patientId, moving, at }: Made): Promise<string | undefined> {
    const date = new Intl.DateTimeFormat('sv-SE', { timeZone: clinic.timeZone }).format(at);
    const dates = { earliestDate: date, latestDate: date };
    const wish = { patientId, providerId, durationMinutes: DURATION, ...dates, registersPatient: false };
    const joined = await joinWaitlist(deps, act, { ...wish, priority: 9 }).catch(() => undefined);
    if (joined === undefined) return undefined;
    // Whoever has a visit with the provider ahead waits no more (`has_visit_instead`), and is asked nothing.
    const { rows } = await sql<{ has: boolean }>`select has_visit_instead(${joined.entry_id}) as has`.execute(
      database.owner.db,
    );
    if (rows[0]?.has === true) return undefined;
    // Whoever else waits is not asked about here.
    await database.owner.db
      .updateTable('waitlist_entry')
      .set({ status: 'LEFT' })
      .where('provider_id', '=', providerId)
      .where('patient_id', '!=', patientId)
      .execute();
    const roundId = deps.newId();
    try {
      await sql`with opened as (
          insert into waitlist_round (round_id, clinic_id, provider_id, freed_appointment_id, slot_start, duration_minutes, state, deadline)
          values (${roundId}, ${clinic.clinicId}, ${providerId}, ${await somebodysVisit(clinic.clinicId, moving.appointmentId)}, ${at}, ${DURATION},
            'OPEN', now() + interval '1 hour'))
        insert into reservation (clinic_id, resource_id, during, purpose, round_id, expires_at)
        values (${clinic.clinicId}, ${providerId}, tstzrange(${at}::timestamptz, ${at}::timestamptz + interval '30 minutes'), 'WAITLIST', ${roundId},
          now() + interval '1 hour')`.execute(database.owner.db);
      return roundId;
    } catch {
      return undefined;
    }
  }

  /** The round must come from somebody else's visit: the patient who gave a slot back does not get it. */
  async function somebodysVisit(clinicId: string, mine: string): Promise<string> {
    const stranger = await aPatient(database.owner, undefined);
    await database.owner.db.insertInto('registration').values({ clinic_id: clinicId, patient_id: stranger }).execute();
    const { rows } = await sql<{ appointment_id: string }>`
      insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code, booked_via,
        policy_version, cancelled_at, cancelled_by, cancel_reason, cancelled_late)
      select gen_random_uuid(), ${stranger}, provider_id, clinic_id, appointment_time, duration_minutes, 'CANCELLED', 'ZZZZZZ', booked_via,
        policy_version, now(), 'staff', 'other', false
      from appointment where appointment_id = ${mine} returning appointment_id`.execute(database.owner.db);
    return rows[0]?.appointment_id ?? '';
  }

  const seen = new Map<string, number>();

  it('answers the same', async () => {
    await fc.assert(
      fc.asyncProperty(anyWorld, async (world) => {
        const answers: Record<string, string | undefined> = {};
        for (const [name, ask] of Object.entries(doors)) answers[name] = await ask(await aWorld(world));
        const { book, hold, ...others } = answers;
        for (const code of [book, hold]) seen.set(code ?? '', (seen.get(code ?? '') ?? 0) + 1);
        const expected: typeof answers = {
          book,
          hold,
          'book held': others['book held'] === undefined ? undefined : book,
          series: book,
          // A visit that moves adds none at the clinic: that limit is not asked there.
          move: book === 'too_many_upcoming' ? others['move'] : book,
          'move of a series': others['move'],
          round: others['round'] === undefined ? undefined : book,
          // A hold has no patient.
          'book for a stranger': hold,
        };
        expect(answers).toEqual(expected);
        if (book === 'too_many_upcoming')
          expect(['taken', 'too_many_upcoming_with_provider']).toContain(others['move']);
      }),
      {
        numRuns: DRAWS,
        seed: drawSeed('the same place'),
        endOnFailure: true,
        examples: Object.values(REFUSALS).map((world): [World] => [world]),
      },
    );
    process.stderr.write(`${JSON.stringify(Object.fromEntries(seen))}\n`);
    // A property that never met a refusal would say nothing of it.
    expect([...seen.keys()]).toEqual(expect.arrayContaining(Object.keys(REFUSALS)));
  });
});
