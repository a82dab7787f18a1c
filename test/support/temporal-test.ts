import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { workflowBundle } from '../../scripts/build/workflow-bundle.ts';
import { createTemporalNamespace } from '../../scripts/stack/index.mjs';
import { createTemporalClient, type TemporalClient } from '../../src/integrations/temporal/client.ts';
import { installTemporalRuntime } from '../../src/integrations/temporal/runtime.ts';
import { TASK_QUEUES } from '../../src/workflows/messages.ts';
import { required } from './servers.ts';

const quiet = () => undefined;
installTemporalRuntime({ debug: quiet, info: quiet, warn: quiet, error: quiet });

/** A client and a namespace of the test's own on the test server, so that the product's task queues are its own too. */
export interface TemporalTest {
  readonly temporal: TemporalClient;
  readonly taskQueue: string;
  /** Workers for appointments and for their messages, that poll until they are stopped. */
  readonly startWorker: (
    activities: object,
    options?: Partial<WorkerOptions>,
  ) => Promise<{ readonly stop: () => Promise<void> }>;
  readonly close: () => Promise<void>;
}

export async function temporalTest(): Promise<TemporalTest> {
  const address = required('TEST_TEMPORAL_ADDRESS');
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  const taskQueue = TASK_QUEUES.appointments;
  await createTemporalNamespace({ address, name: namespace });
  const temporal = createTemporalClient({ address, namespace });
  const connection = await NativeConnection.connect({ address });
  return {
    temporal,
    taskQueue,
    startWorker: async (activities, options = {}) => {
      const common = { connection, namespace, activities, identity: 'test' };
      const workers = await Promise.all([
        Worker.create({
          ...common,
          taskQueue,
          workflowBundle: { codePath: await workflowBundle() },
          maxCachedWorkflows: 100,
          ...options,
        }),
        Worker.create({ ...common, taskQueue: TASK_QUEUES.notifications }),
      ]);
      const ended = Promise.all(workers.map((worker) => worker.run()));
      return {
        stop: async () => {
          for (const worker of workers) worker.shutdown();
          await ended;
        },
      };
    },
    close: async () => {
      await connection.close();
      await temporal.close();
    },
  };
}
