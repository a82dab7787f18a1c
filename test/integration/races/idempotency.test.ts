import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { deadlocksIn } from '../../support/deadlocks.ts';
import { diceOf, drawSeed } from '../../support/seed.ts';
import { codeOf, postBooking, startApiProcesses, tokenOfPatient, type ApiProcesses } from './api-processes.ts';
import { LONG_MS, printDurations } from './clients.ts';
import { raceForKeys } from './idempotency.ts';

describe('a thousand idempotency keys, ten requests at once under each, through two processes of the API', () => {
  let database: TestDatabase;
  let api: ApiProcesses;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApiProcesses(database.urls.appUrl, 2);
  }, LONG_MS);
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  it(
    'books once under each, answers everybody alike, byte for byte, and refuses another body',
    async () => {
      const dice = diceOf(drawSeed('1,000 keys × 10'));
      const statuses = new Set<string>();
      const durations: number[] = [];
      const began = performance.now();
      const { faults, inProgress, booked } = await raceForKeys(
        database.owner,
        { keys: 1_000, each: 10, clients: 4 },
        dice,
        async ({ patientId, providerId, appointmentTime, durationMinutes }, key) => {
          const body = { patientId, providerId, appointmentTime: appointmentTime.toISOString(), durationMinutes };
          const token = await tokenOfPatient(patientId);
          const answer = await postBooking(dice.pick(api.urls), token, body, { 'idempotency-key': key });
          durations.push(answer.ms);
          if (answer.status !== 201) {
            statuses.add(`${answer.status} ${codeOf(answer)}`);
            return { outcome: 'refused', code: codeOf(answer) };
          }
          statuses.add('201');
          const whole = [answer.body, ...['location', 'etag', 'content-type'].map((name) => answer.headers.get(name))];
          const replayed = answer.headers.get('idempotency-replayed') === 'true';
          return { outcome: 'booked', whole: whole.join('\n'), replayed };
        },
      );
      printDurations('1,000 keys × 10', (performance.now() - began) / 1000, durations);
      process.stderr.write(`${inProgress} requests came while the first one was running\n`);

      expect(faults).toEqual([]);
      expect(booked).toBe(1_000);
      expect([...statuses].sort()).toEqual(['201', '409 idempotency_in_progress', '422 idempotency_mismatch']);
      await api.stop();
      expect(await deadlocksIn(database.owner)).toBe(0);
    },
    LONG_MS,
  );
});
