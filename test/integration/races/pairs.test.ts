import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, type Connection } from '../../../src/db/connection.ts';
import { createSchedulingDeps, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { deadlocksIn } from '../../support/deadlocks.ts';
import { integrityFaults } from '../../support/integrity.ts';
import { diceOf, drawSeed } from '../../support/seed.ts';
import { LONG_MS } from './clients.ts';
import { OFFER_PAIRS } from './legal-outcomes-of-offers.ts';
import { PAIRS } from './legal-outcomes.ts';
import { illegalOutcomes, racePair } from './pairs.ts';

const ROUNDS = 100;

describe(`pairs of racing operations, ${ROUNDS} times each`, () => {
  let database: TestDatabase;
  let app: Connection;
  let deps: SchedulingDeps;
  const dice = diceOf(drawSeed('racing pairs'));

  beforeAll(async () => {
    database = await createTestDatabase();
    app = createConnection({ url: database.urls.appUrl, poolSize: 10, name: 'test-races', onError: () => undefined });
    deps = createSchedulingDeps(app);
  });
  afterAll(() => database.drop());

  it.each([...PAIRS, ...OFFER_PAIRS])(
    '$name: one legal outcome each time',
    async (pair) => {
      const outcomes = await racePair(database.owner, deps, pair, ROUNDS, dice);
      process.stderr.write(`${pair.name}: ${JSON.stringify(Object.fromEntries(outcomes))}\n`);
      expect(illegalOutcomes(pair, outcomes)).toEqual([]);
      expect([...outcomes.values()].reduce((sum, times) => sum + times, 0)).toBe(ROUNDS);
      expect(await integrityFaults(database.owner)).toEqual([]);
    },
    LONG_MS,
  );

  it('are at least sixteen, and none of them has deadlocked', async () => {
    expect(PAIRS.length).toBeGreaterThanOrEqual(16);
    await app.close();
    expect(await deadlocksIn(database.owner)).toBe(0);
  });
});
