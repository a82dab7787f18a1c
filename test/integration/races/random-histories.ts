import fc from 'fast-check';
import type { Connection } from '../../../src/db/connection.ts';
import type { SchedulingDeps } from '../../../src/scheduling/act.ts';
import { commitOrder, explain } from './explain.ts';
import { createHistory } from './history.ts';
import { visitsOf, type Answer, type Command } from './model.ts';
import { aModelledDay, commandOf, INTENTS, type Intent } from './modelled-day.ts';

/** What each of several clients is going to want, one after the other. */
export function plansOf(clients: number, commands: number): fc.Arbitrary<Intent[][]> {
  const plan = fc.array(fc.oneof(...INTENTS), { minLength: commands, maxLength: commands });
  return fc.array(plan, { minLength: clients, maxLength: clients });
}

/**
 * Lets the clients loose on a day of their own, all at once, and looks for an order in which the model explains what they were answered.
 * Returns what it cannot explain, the database's visits at the end included.
 */
export async function runHistory(
  owner: Connection,
  deps: SchedulingDeps,
  plans: readonly (readonly Intent[])[],
): Promise<{ readonly faults: readonly string[]; readonly answers: readonly string[] }> {
  const day = await aModelledDay(owner, deps);
  const history = createHistory<Command, Answer>();
  await Promise.all(
    plans.map(async (plan) => {
      for (const intent of plan) {
        const command = commandOf(intent, day.known);
        if (command !== undefined) await history.perform(command, (requestId) => day.ask(command, requestId));
      }
    }),
  );
  const { operations } = history;
  const { faults, end } = explain(operations, await commitOrder(owner, operations));
  const [expected, actual] = [visitsOf(end), await day.visits()];
  const strays = [...new Set([...expected.keys(), ...actual.keys()])].flatMap((id) =>
    expected.get(id) === actual.get(id)
      ? []
      : [`visit ${id} is ${actual.get(id) ?? 'not there'}; the model says ${expected.get(id) ?? 'not there'}`],
  );
  const answers = operations.map(({ wish, ...operation }) => {
    if (operation.outcome !== 'ok') return `${wish.kind} ${operation.outcome}`;
    return `${wish.kind} ${operation.answer.ok ? 'ok' : operation.answer.code}`;
  });
  return { faults: [...faults, ...strays], answers };
}
