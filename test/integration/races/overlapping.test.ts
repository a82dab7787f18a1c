import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, type Connection } from '../../../src/db/connection.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { deadlocksIn } from '../../support/deadlocks.ts';
import { diceOf, drawSeed } from '../../support/seed.ts';
import { LONG_MS, printDurations } from './clients.ts';
import { countOf } from './history.ts';
import { raceOverlaps } from './overlapping.ts';

const OPERATIONS = 10_000;

describe('bookings, moves, cancellings, accepted rounds and holds that partly overlap', () => {
  let database: TestDatabase;
  let app: Connection;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = createConnection({ url: database.urls.appUrl, poolSize: 16, name: 'test-races', onError: () => undefined });
  });
  afterAll(() => database.drop());

  it(
    'leaves no overlap and no half booking behind, shows every success and nothing of a refusal, and deadlocks never',
    async () => {
      const dice = diceOf(drawSeed('10,000 overlapping operations'));
      const began = performance.now();
      const { history, faults } = await raceOverlaps(
        database.owner,
        app,
        { operations: OPERATIONS, clients: 16 },
        dice,
      );
      const { operations } = history;
      printDurations(
        '10,000 overlapping operations',
        (performance.now() - began) / 1000,
        operations.map(({ settledAt, invokedAt }) => settledAt - invokedAt),
      );
      const answers = countOf(
        operations.map((each) => `${each.wish.kind} ${each.outcome === 'refused' ? each.code : each.outcome}`),
      );
      process.stderr.write(`${JSON.stringify(answers)}\n`);

      expect(faults).toEqual([]);
      expect(operations).toHaveLength(OPERATIONS);
      // Everything happened, and every clash. How often is chance: each is there at least 20 times in any usual run, most of them hundreds of times.
      expect(Object.keys(answers)).toEqual(
        expect.arrayContaining([
          ...['book', 'move', 'cancel', 'accept', 'hold', 'book held'].map((kind) => `${kind} ok`),
          'book slot_taken',
          'book patient_busy',
          'move slot_taken',
          'move patient_busy',
          'move version_mismatch',
        ]),
      );
      await app.close();
      expect(await deadlocksIn(database.owner)).toBe(0);
    },
    LONG_MS,
  );
});
