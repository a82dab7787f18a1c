import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { createConnection, type Connection } from '../../../src/db/connection.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createSchedulingDeps, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { deadlocksIn } from '../../support/deadlocks.ts';
import { BLINDED, BLINDED_AND_SLOW, SLOW_LOOK } from '../../support/guards.ts';
import { integrityFaults } from '../../support/integrity.ts';
import { diceOf, drawSeed } from '../../support/seed.ts';
import { raceForKeys, type KeyedAnswer } from './idempotency.ts';
import { PAIRS } from './legal-outcomes.ts';
import { illegalOutcomes, racePair } from './pairs.ts';
import { plansOf, runHistory } from './random-histories.ts';
import { raceForSlots, type Claim } from './same-slots.ts';

/*
 * The races again, smaller, each with one guard taken away: their checks must then have something to say. A check that stays silent here proves nothing
 * there. Row-level security has its own in `test/integration/api/leaks.test.ts` and `test/integration/db/row-level-security.test.ts`.
 */

const WITHOUT_CONSTRAINT = 'alter table reservation drop constraint reservation_no_overlap';
const WITHOUT_LOCKS = ['clinic', 'resource'].map(
  (what) => `create or replace function lock_${what === 'clinic' ? 'clinic_shared' : what}(p_${what} uuid) returns void
    language sql volatile as $$ select $$`,
);
/** Writes no key down. */
const WITHOUT_KEY_ROW = [
  'create function forget() returns trigger language plpgsql as $$ begin return null; end $$',
  'create trigger forgets before insert on idempotency_key for each row execute function forget()',
];
/** Two requests under one key run side by side. */
const WITHOUT_KEY_LOCK = `do $$
  declare
    definition text := pg_get_functiondef('answer_under_key(text,text,text,text)'::regprocedure);
    without_lock text := replace(definition, 'if not pg_try_advisory_xact_lock(', 'if false and not pg_try_advisory_xact_lock(');
  begin
    if without_lock = definition then
      raise exception 'nobody locks the key';
    end if;
    execute without_lock;
  end $$`;

interface Bare {
  readonly database: TestDatabase;
  readonly app: Connection;
  readonly deps: SchedulingDeps;
}

/** Works on a database of its own from which guards were taken. */
async function without<Result>(guards: readonly string[], work: (bare: Bare) => Promise<Result>): Promise<Result> {
  const database = await createTestDatabase();
  const app = createConnection({
    url: database.urls.appUrl,
    poolSize: 10,
    name: 'test-races',
    onError: () => undefined,
  });
  try {
    for (const guard of guards) await sql.raw(guard).execute(database.owner.db);
    return await work({ database, app, deps: createSchedulingDeps(app) });
  } finally {
    await app.close();
    await database.drop();
  }
}

const RACE = { providers: 2, slotsEach: 20, racers: 10, clients: 10 };

function askDoor(deps: SchedulingDeps): (claim: Claim) => Promise<string> {
  return async ({ clinicId, ...booking }) => {
    const act = { actor: { kind: 'staff', id: 'desk' }, clinicId, now: new Date() } as const;
    try {
      await bookAppointment(deps, act, { ...booking, registersPatient: false });
      return 'booked';
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  };
}

function askUnderKey(deps: SchedulingDeps): (claim: Claim, key: string) => Promise<KeyedAnswer> {
  return async ({ clinicId, ...booking }, key) => {
    const act = { actor: { kind: 'staff', id: 'desk' }, clinicId, now: new Date() } as const;
    const idempotency = { caller: 'desk', route: 'POST', key, fingerprint: String(booking.durationMinutes) };
    try {
      const booked = await bookAppointment(deps, act, { ...booking, registersPatient: false, idempotency });
      const { replayed, appointmentId, confirmationCode, status, version } = booked;
      return { outcome: 'booked', whole: [appointmentId, confirmationCode, status, version].join(' '), replayed };
    } catch (error) {
      if (error instanceof AppError) return { outcome: 'refused', code: error.code };
      throw error;
    }
  };
}

const slotRace = ({ database, deps }: Bare) =>
  raceForSlots(database.owner, RACE, diceOf(drawSeed('slots')), askDoor(deps));
const keyRace = ({ database, deps }: Bare) =>
  raceForKeys(database.owner, { keys: 20, each: 10, clients: 2 }, diceOf(drawSeed('keys')), askUnderKey(deps));

async function pairRace({ database, deps }: Bare, name: string, rounds: number) {
  const pair = PAIRS.find((each) => each.name === name);
  if (pair === undefined) throw new Error(`no pair is named ${name}`);
  const outcomes = await racePair(database.owner, deps, pair, rounds, diceOf(drawSeed(name)));
  return { illegal: illegalOutcomes(pair, outcomes), faults: await integrityFaults(database.owner) };
}

const OVERLAP = 'two reservations take the same time of one provider or patient';

describe('with every guard in place', () => {
  it('the small races have nothing to report', async () => {
    const bare = (work: (bare: Bare) => Promise<{ readonly faults: readonly string[] }>) => without([], work);
    expect((await bare(slotRace)).faults).toEqual([]);
    expect((await bare(keyRace)).faults).toEqual([]);
  });
});

describe('with the exclusion constraint dropped', () => {
  it('and the look before the write blinded, the race for few slots reports overlaps', async () => {
    const { faults } = await without([WITHOUT_CONSTRAINT, BLINDED], slotRace);
    expect(faults.join('\n')).toContain(OVERLAP);
    expect(faults.join('\n')).toContain('was booked 10 times');
  });

  it('and the locks away, the race for few slots reports overlaps although everybody looks before they write', async () => {
    const { faults } = await without([WITHOUT_CONSTRAINT, SLOW_LOOK, ...WITHOUT_LOCKS], slotRace);
    expect(faults.join('\n')).toContain(OVERLAP);
  });

  it('and the locks away, no order explains the random histories', async () => {
    await without([WITHOUT_CONSTRAINT, SLOW_LOOK, ...WITHOUT_LOCKS], async ({ database, deps }) => {
      const histories = fc.asyncProperty(plansOf(8, 30), async (plans) => {
        expect((await runHistory(database.owner, deps, plans)).faults).toEqual([]);
      });
      const found = await fc.check(histories, { numRuns: 20, seed: drawSeed('histories'), endOnFailure: true });
      expect(found.failed).toBe(true);
    });
  });
});

describe('with the constraint alone: the look before the write blinded and the locks away', () => {
  it('still no slot is booked twice', async () => {
    const { faults } = await without([BLINDED, ...WITHOUT_LOCKS], slotRace);
    expect(faults).toEqual([]);
  });

  it('and without it, the same race books slots twice: it was the constraint that held', async () => {
    const { faults } = await without([BLINDED, ...WITHOUT_LOCKS, WITHOUT_CONSTRAINT], slotRace);
    expect(faults.join('\n')).toContain(OVERLAP);
  });
});

describe('with the advisory locks away', () => {
  it('two visits are booked into the last place of a day', async () => {
    const { illegal, faults } = await without([SLOW_LOOK, ...WITHOUT_LOCKS], (bare) =>
      pairRace(bare, 'book two slots of a day with room for one', 60),
    );
    expect(illegal).toContain('booked + booked = APPOINTMENT, APPOINTMENT');
    expect(faults.join('\n')).toContain('a day of a provider has more visits and holds than its limit');
  });

  it('a patient has more visits ahead than the clinic allows', async () => {
    const { illegal, faults } = await without([SLOW_LOOK, ...WITHOUT_LOCKS], (bare) =>
      pairRace(bare, 'book two visits for a patient who may have one ahead', 60),
    );
    expect(illegal).toContain('booked + booked = APPOINTMENT, APPOINTMENT');
    expect(faults.join('\n')).toContain('a patient has more visits ahead than the clinic’s limits');
  });

  it('visits that are moved into each other’s place deadlock', async () => {
    const deadlocks = await without([BLINDED_AND_SLOW, ...WITHOUT_LOCKS], async (bare) => {
      await pairRace(bare, 'move two visits into each other’s place', 24);
      await bare.app.close();
      return deadlocksIn(bare.database.owner);
    });
    expect(deadlocks).toBeGreaterThan(0);
  });
});

describe('with what makes a key count once away', () => {
  it('the race of keys reports refusals, when no row is kept', async () => {
    const { faults } = await without(WITHOUT_KEY_ROW, keyRace);
    expect(faults.join('\n')).toContain('refused with slot_taken');
    expect(faults.join('\n')).toContain('another body was refused with slot_taken');
  });

  it('the race of keys reports refusals, when the key is not locked', async () => {
    const { faults } = await without([SLOW_LOOK, WITHOUT_KEY_LOCK], keyRace);
    expect(faults.join('\n')).toContain('refused with slot_taken');
  });
});
