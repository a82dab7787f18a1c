import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createFailureInterceptor } from '../activities/failures.ts';
import { createActivities } from '../activities/index.ts';
import { createConnection } from '../db/connection.ts';
import { AppError } from '../domain/errors.ts';
import { createEhrs } from '../integrations/fhir/client.ts';
import { createRabbitmq } from '../integrations/rabbitmq/rabbitmq.ts';
import { bundleWorkflows } from '../integrations/temporal/bundle.ts';
import { createTemporalClient } from '../integrations/temporal/client.ts';
import { installTemporalRuntime } from '../integrations/temporal/runtime.ts';
import { runWorkers } from '../integrations/temporal/worker.ts';
import { createWorkflowCalls } from '../integrations/temporal/workflow-calls.ts';
import { createPublisher } from '../notifications/publish.ts';
import { createTopology } from '../notifications/topology.ts';
import { startPruning } from '../relay/prune.ts';
import { CALL_DEADLINE_MS, startRelay } from '../relay/relay.ts';
import { createSparing } from '../relay/sparingly.ts';
import { startSweep } from '../relay/sweep.ts';
import { createSchedulingDeps } from '../scheduling/act.ts';
import { TASK_QUEUES } from '../workflows/messages.ts';
import { createRole } from './role.ts';

/** The relay leases, marks, sweeps and prunes: it needs few connections. */
const RELAY_POOL_SIZE = 3;

const { config, logger, connection, onLost, run } = createRole('worker', [
  'databaseRelay',
  'broker',
  'temporal',
  'ehr',
]);
const temporalAddress = { address: config.temporal.TEMPORAL_ADDRESS, namespace: config.temporal.TEMPORAL_NAMESPACE };

const relayConnection = createConnection({
  url: config.databaseRelay.DATABASE_RELAY_URL,
  poolSize: RELAY_POOL_SIZE,
  name: 'mediconnect-relay',
  onError: onLost('postgresql'),
});
const rabbitmq = createRabbitmq({ url: config.broker.AMQP_URL, name: 'mediconnect-worker', logger });

// A broker that is away fails thousands of tries: they are one line a minute.
const mayLog = createSparing(60_000, Date.now);

installTemporalRuntime(logger);
const temporal = createTemporalClient(temporalAddress, { retries: 'none' });
const workers = runWorkers({
  ...temporalAddress,
  workflowBundle: await workflowBundle(),
  buildId: config.temporal.WORKER_BUILD_ID,
  interceptors: {
    activity: [
      createFailureInterceptor((error, activity) => {
        const code = error instanceof AppError ? error.code : 'internal_error';
        if (mayLog(`${activity.activityType} ${code}`))
          logger.warn({ event: 'activity_failed', code, err: error, ...activity }, 'an activity failed');
      }),
    ],
  },
  logger,
  taskQueues: taskQueues(),
});
const relay = startRelay({
  connection: relayConnection,
  calls: createWorkflowCalls(temporal.client, CALL_DEADLINE_MS),
  logger,
  random: Math.random,
});
const sweep = startSweep({ connection: relayConnection, logger, random: Math.random });
const pruning = startPruning({ connection: relayConnection, logger, random: Math.random });

await run({
  // While Temporal is away the relay waits.
  working: workers.ready,
  // What was leased or begun and not ended is taken up by the next worker.
  stop: async () => {
    await Promise.all([pruning.stop(), sweep.stop(), relay.stop()]);
    await workers.stop();
    await temporal.close();
    await rabbitmq.close();
    await relayConnection.close();
  },
});

function taskQueues() {
  const activities = createActivities({
    ...createSchedulingDeps(connection),
    clock: () => Date.now(),
    publisher: createPublisher(rabbitmq, createTopology({ prefix: config.broker.AMQP_QUEUE_PREFIX })),
    ehrOf: createEhrs({
      credentials: {
        clientId: config.ehr.EHR_CLIENT_ID,
        privateKey: config.ehr.EHR_PRIVATE_KEY,
        keyId: config.ehr.EHR_KEY_ID,
      },
    }),
  });
  return [
    {
      taskQueue: TASK_QUEUES.appointments,
      activities,
      maxConcurrentActivities: 50,
      workflows: { maxConcurrentTasks: 40, maxCached: 500 },
    },
    { taskQueue: TASK_QUEUES.notifications, activities, maxConcurrentActivities: 50 },
    {
      taskQueue: TASK_QUEUES.sync,
      activities,
      maxConcurrentActivities: 10,
      workflows: { maxConcurrentTasks: 10, maxCached: 50 },
    },
  ];
}

/** The build has bundled the workflows next to the compiled code; in development they are bundled now. */
async function workflowBundle() {
  const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(built)) return { codePath: built };
  const source = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
  return { code: await bundleWorkflows(source, logger) };
}
