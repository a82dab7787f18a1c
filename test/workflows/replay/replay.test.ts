import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { workflowBundle } from '../../../scripts/build/workflow-bundle.ts';
import { WORKFLOWS } from '../../../src/workflows/messages.ts';
import '../../support/temporal-test.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const recorded = readdirSync(path.join(here, 'histories'))
  .sort()
  .map((file) => read(path.join('histories', file)));

function read(file: string) {
  const { workflowId, history } = JSON.parse(readFileSync(path.join(here, file), 'utf8')) as {
    workflowId: string;
    history: unknown;
  };
  return { name: path.basename(file, '.json'), workflowId, history: historyFromJSON(history) };
}

/** The error with which each history fails to replay, or undefined. */
async function replay(codePath: string, histories: typeof recorded): Promise<Map<string, Error | undefined>> {
  const errors = new Map<string, Error | undefined>();
  const results = Worker.runReplayHistories({ workflowBundle: { codePath } }, histories);
  for await (const { workflowId, error } of results)
    errors.set(histories.find((history) => history.workflowId === workflowId)?.name ?? workflowId, error);
  return errors;
}

describe('the workflows of this release', () => {
  let errors: Map<string, Error | undefined>;
  beforeAll(async () => {
    errors = await replay(await workflowBundle(), recorded);
  });

  it.each(recorded.map(({ name }) => name))('replay the recorded history %s', (name) => {
    expect(errors.has(name)).toBe(true);
    expect(errors.get(name)).toBeUndefined();
  });

  it('have a recorded history of every kind', () => {
    const kinds = recorded.map(
      ({ history }) => history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name,
    );
    expect(new Set(kinds)).toEqual(new Set(Object.values(WORKFLOWS)));
  });
});

describe('a release that guards its change with patched()', () => {
  const marked = read(path.join('patched', 'history.json'));

  it('replays what the one before began, and what it began itself', async () => {
    const before = recorded.filter(({ name }) => name.startsWith('appointment'));
    const errors = await replay(await workflowBundle(path.join(here, 'patched', 'index.ts')), [...before, marked]);
    expect([...errors.keys()].sort()).toEqual([...before, marked].map(({ name }) => name).sort());
    for (const error of errors.values()) expect(error).toBeUndefined();
  });

  it('leaves a marker that the one before does not get over', async () => {
    const errors = await replay(await workflowBundle(), [marked]);
    expect(errors.get(marked.name)).toBeInstanceOf(DeterminismViolationError);
  });
});

describe('a workflow whose commands come in another order', () => {
  it('fails to replay any recorded appointment or sick day', async () => {
    const histories = recorded.filter(({ name }) => /^(appointment|sick-day)/.test(name));
    const changed = await workflowBundle(path.join(here, 'changed-order', 'index.ts'));

    const errors = await replay(changed, histories);

    expect(errors.size).toBe(histories.length);
    for (const error of errors.values()) expect(error).toBeInstanceOf(DeterminismViolationError);
  });
});
