import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { workflowBundle } from '../../scripts/build/workflow-bundle.ts';
import { createTemporalClient, type TemporalClient } from '../../src/integrations/temporal/client.ts';
import { installTemporalRuntime } from '../../src/integrations/temporal/runtime.ts';
import { required } from './servers.ts';

const quiet = () => undefined;
installTemporalRuntime({ debug: quiet, info: quiet, warn: quiet, error: quiet });

/** A client and a task queue of the test file's own on the test server. */
export interface TemporalTest {
  readonly temporal: TemporalClient;
  readonly taskQueue: string;
  /** A worker that polls until it is stopped. */
  readonly startWorker: (
    activities: object,
    options?: Partial<WorkerOptions>,
  ) => Promise<{ readonly stop: () => Promise<void> }>;
  readonly close: () => Promise<void>;
}

export async function temporalTest(): Promise<TemporalTest> {
  const address = required('TEST_TEMPORAL_ADDRESS');
  const namespace = 'default';
  const taskQueue = `test-${randomUUID()}`;
  const temporal = createTemporalClient({ address, namespace });
  const connection = await NativeConnection.connect({ address });
  return {
    temporal,
    taskQueue,
    startWorker: async (activities, options = {}) => {
      const worker = await Worker.create({
        connection,
        namespace,
        taskQueue,
        workflowBundle: { codePath: await workflowBundle() },
        activities,
        maxCachedWorkflows: 100,
        identity: 'test',
        ...options,
      });
      const ended = worker.run();
      return {
        stop: async () => {
          worker.shutdown();
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
