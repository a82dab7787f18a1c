import { randomUUID } from 'node:crypto';
import { workflowBundle } from '../../../scripts/build/workflow-bundle.ts';
import { createTemporalNamespace } from '../../../scripts/stack/index.mjs';
import { createFailureInterceptor } from '../../../src/activities/failures.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createTemporalClient, type TemporalClient } from '../../../src/integrations/temporal/client.ts';
import { installTemporalRuntime } from '../../../src/integrations/temporal/runtime.ts';
import { runWorkers } from '../../../src/integrations/temporal/worker.ts';
import { createWorkflowCalls } from '../../../src/integrations/temporal/workflow-calls.ts';
import { createLogger } from '../../../src/logger.ts';
import type { NotificationMessage } from '../../../src/notifications/message.ts';
import { startRelay } from '../../../src/relay/relay.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { TASK_QUEUES } from '../../../src/workflows/messages.ts';
import { aClinic, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { testServers } from '../../support/servers.ts';

const logger = createLogger({ level: 'error', role: 'test' }, { write: () => undefined });
installTemporalRuntime(logger);

/** A worker as the product wires it, over real PostgreSQL and Temporal; only the broker is a list. */
export interface WorkerWorld {
  readonly database: TestDatabase;
  readonly deps: SchedulingDeps;
  readonly clinic: Clinic;
  readonly temporal: TemporalClient;
  /** What reached the broker, in order. */
  readonly published: NotificationMessage[];
  /** How many publishes the broker refuses from now on. */
  readonly broker: { refuses: number };
  readonly act: () => Act;
  readonly close: () => Promise<void>;
}

/** @param throughAddress - where the worker and the relay meet Temporal, if not directly */
export async function workerWorld(throughAddress?: string): Promise<WorkerWorld> {
  const { temporalAddress } = testServers();
  const namespace = `worker-${randomUUID().slice(0, 8)}`;
  const database = await createTestDatabase();
  const clinic = await aClinic(database.owner, { timeZone: 'Asia/Kolkata' });
  await createTemporalNamespace({ address: temporalAddress, name: namespace });
  const temporal = createTemporalClient({ address: temporalAddress, namespace });
  const address = throughAddress ?? temporalAddress;
  const relayClient = createTemporalClient({ address, namespace }, { retries: 'none' });
  const deps = createSchedulingDeps(database.app);
  const published: NotificationMessage[] = [];
  const broker = { refuses: 0 };

  const activities = createActivities({
    ...deps,
    clock: () => Date.now(),
    publisher: {
      publish: (message) => {
        if (broker.refuses > 0) {
          broker.refuses -= 1;
          return Promise.reject(new AppError('broker_unavailable'));
        }
        published.push(message);
        return Promise.resolve();
      },
    },
    ehrOf: () => {
      throw new AppError('ehr_not_configured');
    },
  });
  const workers = runWorkers({
    address,
    namespace,
    workflowBundle: { codePath: await workflowBundle() },
    interceptors: { activity: [createFailureInterceptor(() => undefined)] },
    logger,
    taskQueues: [
      {
        taskQueue: TASK_QUEUES.appointments,
        activities,
        maxConcurrentActivities: 10,
        workflows: { maxConcurrentTasks: 10, maxCached: 50 },
      },
      { taskQueue: TASK_QUEUES.notifications, activities, maxConcurrentActivities: 2 },
    ],
  });
  const relay = startRelay({
    connection: database.relay,
    calls: createWorkflowCalls(relayClient.client, 4_000),
    logger,
    random: Math.random,
  });
  await workers.ready;

  return {
    database,
    deps,
    clinic,
    temporal,
    published,
    broker,
    act: () => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() }),
    close: async () => {
      await relay.stop();
      await workers.stop();
      await relayClient.close();
      await temporal.close();
      await database.drop();
    },
  };
}
