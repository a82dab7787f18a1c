import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { workflowBundle } from '../../scripts/build/workflow-bundle.ts';
import { createTemporalClient } from '../../src/integrations/temporal/client.ts';

/*
 * A TypeScript worker and nothing else: no database, no broker. It starts so many workflows, whose reminders are due within a minute, and prints how late
 * each activity ran. What it reaches on a machine is what Temporal and its SDK allow there.
 */

const [address = '', namespace = '', count = '0'] = process.argv.slice(2);
const taskQueue = 'bare';
const lags: number[] = [];
let lastAt = 0;
let resolveAll: () => void = () => undefined;
const all = new Promise<void>((resolve) => (resolveAll = resolve));
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowBundle: { codePath: await workflowBundle(fileURLToPath(new URL('workflow.ts', import.meta.url))) },
  activities: {
    remind(dueAt: number): Promise<void> {
      lastAt = Date.now();
      lags.push(lastAt - dueAt);
      if (lags.length === Number(count)) resolveAll();
      return Promise.resolve();
    },
  },
  maxCachedWorkflows: 500,
});
const run = worker.run();
console.log(JSON.stringify({ event: 'ready' }));

const { client, close } = createTemporalClient({ address, namespace });
const firstDueAt = Date.now() + startingTakes(Number(count));
let started = 0;
const startSome = async (): Promise<void> => {
  while (started < Number(count)) {
    const n = started++;
    await client.workflow.start('bareReminder', {
      workflowId: `bare-${n}`,
      taskQueue,
      args: [firstDueAt + (n * 60_000) / Number(count)],
    });
  }
};
await Promise.all(Array.from({ length: 25 }, startSome));
const startedInTime = Date.now() < firstDueAt;
await delay(Math.max(0, firstDueAt - Date.now()));
console.log(JSON.stringify({ event: 'due' }));
await all;
console.log(JSON.stringify({ event: 'done', firstDueAt, lastAt, lags, startedInTime }));
worker.shutdown();
await run;
await close();
await connection.close();

function startingTakes(workflows: number): number {
  return 10_000 + workflows * 15;
}
