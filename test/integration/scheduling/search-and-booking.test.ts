import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { providerTimes } from '../../../src/api/availability/queries.ts';
import { availableSlotsInRange } from '../../../src/domain/availability/search.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { DAY_MS, MINUTE_MS } from '../../../src/domain/clock.ts';
import { addDays, dayBounds, localDate, offsetSpans } from '../../../src/domain/time-zone.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { placeHold } from '../../../src/scheduling/claims/hold.ts';
import { createProviderSchedules } from '../../../src/scheduling/provider-schedules.ts';
import { aClinic, aPatient, aProvider, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { diceOf, drawSeed, type Dice } from '../../support/seed.ts';

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Chatham',
  'America/Havana',
];
const WORLDS = 12;
const STARTS = 25;

/** A provider with rules of every kind and time that is taken in every way, and the dates of a search. */
interface World {
  readonly clinic: Clinic;
  readonly providerId: string;
  readonly fromDate: string;
  readonly toDate: string;
  readonly durationMinutes: number;
}

describe('what a search offers', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  const now = new Date();

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
  });
  afterAll(() => database.drop());

  const act = ({ clinicId }: Clinic): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId, now });

  async function aWorld(dice: Dice, zone: string): Promise<World> {
    const { owner } = database;
    const clinic = await aClinic(owner, {
      timeZone: zone,
      policy: {
        slotStepMinutes: dice.pick([10, 15, 20, 30]),
        bufferBeforeMinutes: dice.pick([0, 5, 15]),
        bufferAfterMinutes: dice.pick([0, 10]),
      },
    });
    // A working day, or a night over midnight and over the clock change if there is one.
    const [startTime, endTime] = dice.pick([
      ['08:00', '18:00'],
      ['22:00', '06:00'],
      ['00:00', '00:00'],
    ] as const);
    const providerId = await aProvider(owner, clinic, { startTime, endTime, maxDailyAppointments: dice.pick([4, 40]) });
    const change = offsetSpans(zone, now.getTime() + 2 * DAY_MS, now.getTime() + 170 * DAY_MS)[1]?.from;
    const fromDate = localDate(zone, change ?? now.getTime() + 10 * DAY_MS);
    const toDate = addDays(fromDate, 1);
    await sql`insert into provider_break (provider_break_id, clinic_id, provider_id, day_of_week, start_time, end_time)
      select gen_random_uuid(), ${clinic.clinicId}, ${providerId}, day, '12:10', '12:50' from generate_series(1, 7) as day`.execute(
      owner.db,
    );
    const { from, to } = dayBounds(zone, fromDate);
    const somewhere = (): string => {
      const start = from + dice.below((to - from) / MINUTE_MS) * MINUTE_MS;
      return `[${new Date(start).toISOString()},${new Date(start + 45 * MINUTE_MS).toISOString()})`;
    };
    await sql`insert into time_off (time_off_id, clinic_id, provider_id, during)
      values (gen_random_uuid(), ${clinic.clinicId}, ${providerId}, ${somewhere()}::tstzrange)`.execute(owner.db);
    await sql`insert into reservation (clinic_id, resource_id, during, purpose)
      values (${clinic.clinicId}, ${providerId}, ${somewhere()}::tstzrange, 'EXTERNAL')`.execute(owner.db);
    const world = { clinic, providerId, fromDate, toDate, durationMinutes: dice.pick([15, 25, 30, 50]) };
    await book(world, dice.pick(await offered(world)));
    await placeHold(deps, act(clinic), {
      providerId,
      slotStart: new Date(dice.pick(await offered(world))),
      durationMinutes: world.durationMinutes,
      heldBy: randomUUID(),
    });
    return world;
  }

  /** As another process would, which knows nothing of what booking here has read. */
  async function offered({ clinic, providerId, ...dates }: World): Promise<number[]> {
    const schedules = createProviderSchedules(database.app);
    const [time] = (await providerTimes(database.app.pool, schedules, clinic.clinicId, { providerId }, dates)) ?? [];
    if (time === undefined) throw new Error('no such provider');
    return availableSlotsInRange({ ...time, ...dates, now: now.getTime() }).slots.map(({ from }) => from);
  }

  async function book({ clinic, providerId, durationMinutes }: World, from: number): Promise<string> {
    const booked = await bookAppointment(deps, act(clinic), {
      patientId: await aPatient(database.owner, clinic),
      providerId,
      appointmentTime: new Date(from),
      durationMinutes,
      registersPatient: false,
    });
    return booked.appointmentId;
  }

  /** What the door says; a visit that is booked is cancelled at once, so that each start is asked of the same world. */
  async function answerOf(world: World, from: number): Promise<string> {
    try {
      const appointmentId = await book(world, from);
      await cancelAppointment(deps, act(world.clinic), { appointmentId, reason: 'other' });
      return 'booked';
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  }

  it('the door books, and it refuses what is not offered, on the grid or beside it', async () => {
    const dice = diceOf(drawSeed('offered starts are booked'));
    const counts = { booked: 0, refused: 0 };
    for (let index = 0; index < WORLDS; index += 1) {
      const world = await aWorld(dice, ZONES[index % ZONES.length] ?? 'UTC');
      const starts = await offered(world);
      const isOffered = new Set(starts);
      for (const start of dice.shuffled(starts).slice(0, STARTS)) {
        expect([world, new Date(start), await answerOf(world, start)]).toEqual([world, new Date(start), 'booked']);
        counts.booked += 1;
      }
      const { from } = dayBounds(world.clinic.timeZone, world.fromDate);
      const { to } = dayBounds(world.clinic.timeZone, world.toDate);
      const others = Array.from(
        { length: 2 * STARTS },
        () => from + dice.below((to - from) / MINUTE_MS / 5) * 5 * MINUTE_MS,
      )
        .map((start, each) => (each % 5 === 0 ? start + MINUTE_MS : start))
        .filter((start) => !isOffered.has(start));
      for (const start of others.slice(0, STARTS)) {
        expect([world, new Date(start), await answerOf(world, start)]).not.toEqual([world, new Date(start), 'booked']);
        counts.refused += 1;
      }
      expect(await offered(world)).toEqual(starts);
    }
    expect(counts.booked).toBeGreaterThan(150);
    expect(counts.refused).toBeGreaterThan(200);
  }, 120_000);

  it('is seen to be refused when the search knows older rules than the door', async () => {
    const world = await aWorld(diceOf(1), 'Europe/Berlin');
    const before = await offered(world);
    await sql`insert into closure (closure_id, clinic_id, from_date, to_date, name)
      values (gen_random_uuid(), ${world.clinic.clinicId}, ${world.fromDate}, ${world.toDate}, 'Holiday')`.execute(
      database.owner.db,
    );
    expect(await answerOf(world, before[0] ?? 0)).toBe('provider_closed');
    expect(await offered(world)).toEqual([]);
  });
});
