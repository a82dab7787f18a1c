import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSchedulingDeps, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { integrityFaults } from '../../support/integrity.ts';
import { drawSeed } from '../../support/seed.ts';
import { LONG_MS } from './clients.ts';
import { explain, type Asked } from './explain.ts';
import { countOf } from './history.ts';
import { idIn, NOTHING_BOOKED, step, visitsOf, type Answer, type Command, type Model } from './model.ts';
import { aModelledDay, commandOf, INTENTS, type Intent, type ModelledDay } from './modelled-day.ts';
import { plansOf, runHistory } from './random-histories.ts';

const SEQUENCES = 40;
const HISTORIES = 30;
const CLIENTS = 8;
const COMMANDS = 30;

interface Expected {
  model: Model;
  readonly known: ModelledDay['known'];
}

/** One command of a random sequence: the doors must answer what the model answers. */
class Ask implements fc.AsyncCommand<Expected, ModelledDay> {
  readonly #intent: Intent;
  readonly #step: typeof step;

  constructor(intent: Intent, expectedStep: typeof step) {
    this.#intent = intent;
    this.#step = expectedStep;
  }

  check({ known }: Readonly<Expected>): boolean {
    return commandOf(this.#intent, known) !== undefined;
  }

  async run(expected: Expected, day: ModelledDay): Promise<void> {
    const command = commandOf(this.#intent, expected.known);
    if (command === undefined) return;
    const answer = await day.ask(command);
    const { answer: modelled, model } = this.#step(expected.model, command, idIn(answer));
    expect([command, answer]).toEqual([command, modelled]);
    expected.model = model;
  }

  toString(): string {
    return JSON.stringify(this.#intent);
  }
}

describe('the doors against a simple model', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
  });
  afterAll(() => database.drop());

  const sequences = (expectedStep: typeof step) =>
    fc.asyncProperty(
      fc.commands(
        INTENTS.map((intents) => intents.map((intent) => new Ask(intent, expectedStep))),
        { maxCommands: 40, size: 'max' },
      ),
      async (commands) => {
        const day = await aModelledDay(database.owner, deps);
        const expected: Expected = { model: NOTHING_BOOKED, known: day.known };
        await fc.asyncModelRun(() => ({ model: expected, real: day }), commands);
        expect(await day.visits()).toEqual(visitsOf(expected.model));
      },
    );

  it(
    'answer every command of a random sequence as the model does',
    async () => {
      await fc.assert(sequences(step), { numRuns: SEQUENCES, seed: drawSeed('random sequences') });
      expect(await integrityFaults(database.owner)).toEqual([]);
    },
    LONG_MS,
  );

  it(
    'are caught by a short sequence when they disagree: here with a model that forgets that a visit keeps its patient busy',
    async () => {
      const forgetful: typeof step = (model, command, newId) => {
        const real = step(model, command, newId);
        if (real.answer.ok || real.answer.code !== 'patient_busy') return real;
        return { ...real, answer: { ok: true, visit: newId, version: 1 } };
      };
      // One seed: how far a counterexample shrinks depends on where it began, and one client's sequence is the same each time.
      const found = await fc.check(sequences(forgetful), { numRuns: 100, seed: 1 });
      expect(found.failed).toBe(true);
      const [commands] = found.counterexample ?? [];
      // One visit, and another of the same patient, perhaps by way of a hold: nothing can be left out of that.
      expect([...(commands ?? [])].length).toBeLessThanOrEqual(3);
    },
    LONG_MS,
  );

  it(
    `explain what ${CLIENTS} clients are answered who ask at once, ${HISTORIES} times ${CLIENTS} × ${COMMANDS} commands`,
    async () => {
      const answers: string[] = [];
      await fc.assert(
        fc.asyncProperty(plansOf(CLIENTS, COMMANDS), async (plans) => {
          const history = await runHistory(database.owner, deps, plans);
          answers.push(...history.answers);
          expect(history.faults).toEqual([]);
        }),
        // How the clients interleave is not the same twice: a smaller case would be another case.
        { numRuns: HISTORIES, seed: drawSeed('random histories'), endOnFailure: true },
      );
      process.stderr.write(`${JSON.stringify(countOf(answers))}\n`);
      expect(await integrityFaults(database.owner)).toEqual([]);
    },
    LONG_MS,
  );
});

describe('the search for an order that explains a history', () => {
  const asked = (wish: Command, answer: Answer, invokedAt: number, settledAt: number): Asked => ({
    requestId: `${wish.kind} ${invokedAt}`,
    wish,
    invokedAt,
    settledAt,
    outcome: 'ok',
    answer,
  });
  const book = (visit: string, from: number, ...times: [number, number]): Asked =>
    asked({ kind: 'book', provider: 0, patient: 0, from, quarters: 2 }, { ok: true, visit, version: 1 }, ...times);
  const refused = (code: string, from: number, ...times: [number, number]): Asked =>
    asked({ kind: 'book', provider: 0, patient: 1, from, quarters: 2 }, { ok: false, code }, ...times);
  const cancel = (visit: string, ...times: [number, number]): Asked =>
    asked({ kind: 'cancel', visit }, { ok: true, visit, version: 2 }, ...times);
  const faultsOf = (operations: readonly Asked[], committed = operations): readonly string[] =>
    explain(
      operations,
      committed.map((operation) => operation.requestId),
    ).faults;

  it('finds one where there is one', () => {
    const [first, last, no] = [book('a', 0, 1, 4), cancel('a', 5, 6), refused('slot_taken', 1, 2, 3)];
    expect(faultsOf([first, last, no], [first, last])).toEqual([]);
  });

  it('finds none for two visits at one time', () => {
    expect(faultsOf([book('a', 0, 1, 4), book('b', 1, 2, 3)])).toHaveLength(1);
  });

  it('finds none for a refusal that nothing was the reason of', () => {
    const [first, no] = [book('a', 0, 1, 2), refused('slot_taken', 3, 3, 4)];
    expect(faultsOf([first, no], [first])).toHaveLength(1);
  });

  it('finds none for a refusal that came too late or too early', () => {
    const [first, last] = [book('a', 0, 3, 4), cancel('a', 5, 6)];
    for (const no of [refused('slot_taken', 0, 7, 8), refused('slot_taken', 0, 1, 2)]) {
      expect(faultsOf([first, last, no], [first, last])).toHaveLength(1);
    }
  });

  it('finds none for a commit that overtook an answer', () => {
    const [first, second] = [book('a', 0, 1, 2), book('b', 4, 3, 4)];
    expect(faultsOf([first, second], [second, first])).toHaveLength(1);
  });

  it('finds none for refusals that would have to go back in time', () => {
    const [first, last] = [book('a', 0, 1, 20), cancel('a', 2, 21)];
    const [busy, cancelled] = [
      refused('slot_taken', 0, 10, 11),
      asked({ kind: 'check-in', visit: 'a' }, { ok: false, code: 'appointment_not_scheduled' }, 5, 6),
    ];
    expect(faultsOf([first, last, cancelled, busy], [first, last])).toHaveLength(1);
  });

  it('finds none for what a client was not told of', () => {
    const lost: Asked = { ...book('a', 0, 1, 2), outcome: 'unknown', error: new Error('lost') };
    expect(faultsOf([lost])).toHaveLength(1);
  });
});
