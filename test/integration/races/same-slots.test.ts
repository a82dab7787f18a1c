import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { deadlocksIn } from '../../support/deadlocks.ts';
import { diceOf, drawSeed } from '../../support/seed.ts';
import { codeOf, postBooking, startApiProcesses, tokenOfPatient, type ApiProcesses } from './api-processes.ts';
import { LONG_MS, printDurations } from './clients.ts';
import { raceForSlots } from './same-slots.ts';

describe('many patients for few slots, through two processes of the API', () => {
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
    'books each of 200 slots for one of 50 and refuses the other 9,800 requests, without overlap, deadlock or 5xx',
    async () => {
      const dice = diceOf(drawSeed('10,000 requests for 200 slots'));
      const tokens = new Map<string, string>();
      const durations: number[] = [];
      const began = performance.now();
      const { answers, faults } = await raceForSlots(
        database.owner,
        { providers: 5, slotsEach: 40, racers: 50, clients: 32 },
        dice,
        async ({ patientId, providerId, appointmentTime, durationMinutes }) => {
          const token = tokens.get(patientId) ?? (await tokenOfPatient(patientId));
          tokens.set(patientId, token);
          const body = { patientId, providerId, appointmentTime: appointmentTime.toISOString(), durationMinutes };
          const answer = await postBooking(dice.pick(api.urls), token, body);
          durations.push(answer.ms);
          return answer.status === 201 ? '201' : `${answer.status} ${codeOf(answer)}`;
        },
      );
      printDurations('10,000 requests for 200 slots', (performance.now() - began) / 1000, durations);

      expect(answers).toEqual({ '201': 200, '409 slot_taken': 9_800 });
      expect(faults).toEqual([]);
      await api.stop();
      expect(await deadlocksIn(database.owner)).toBe(0);
    },
    LONG_MS,
  );
});
