import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { TemporalAddress } from './client.ts';
import type { LogTarget } from './runtime.ts';

/** One task queue's share of the process. */
export interface TaskQueueOptions {
  readonly taskQueue: string;
  /** What the queue's workflows can have done. */
  readonly activities: object;
  readonly maxConcurrentActivities: number;
  /** Left out where the queue carries activities only. */
  readonly workflows?: {
    readonly maxConcurrentTasks: number;
    /** Workflows kept in memory between two tasks. A sleeping one needs none: it is rebuilt from its history in milliseconds. */
    readonly maxCached: number;
  };
}

export interface WorkersOptions extends TemporalAddress {
  readonly taskQueues: readonly TaskQueueOptions[];
  readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  readonly interceptors: NonNullable<WorkerOptions['interceptors']>;
  /** Switches Worker Deployment Versioning on. */
  readonly buildId?: string | undefined;
  readonly logger: LogTarget;
}

export interface RunningWorkers {
  /** Resolves when all of them poll for the first time. */
  readonly ready: Promise<void>;
  /** Lets running tasks end (10 s), then cancels what is left. */
  readonly stop: () => Promise<void>;
}

/** The deployment that all our workers belong to. */
const DEPLOYMENT_NAME = 'mediconnect';

const RETRY_MS = { first: 500, most: 4_000 } as const;
const HEALTHY_AFTER_MS = 30_000;

/**
 * Runs one worker a task queue until it is stopped. When Temporal is away at start, or the workers die of an error they do not get over by themselves,
 * they are made anew, so the process never needs a restart.
 */
export function runWorkers(options: WorkersOptions): RunningWorkers {
  const stopping = new AbortController();
  let becomeReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });
  let workers: Worker[] = [];

  const once = async (): Promise<void> => {
    const connection = await NativeConnection.connect({ address: options.address });
    try {
      workers = await Promise.all(
        options.taskQueues.map((queue) => Worker.create(workerOptions(options, connection, queue))),
      );
      if (stopping.signal.aborted) return;
      const runs = workers.map((worker) => worker.run());
      becomeReady();
      await endTogether(runs);
    } finally {
      workers = [];
      await connection.close();
    }
  };

  const endTogether = async (runs: readonly Promise<void>[]): Promise<void> => {
    try {
      await Promise.all(runs);
    } catch (error) {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(runs);
      throw error;
    }
  };

  const loop = async (): Promise<void> => {
    let wait: number = RETRY_MS.first;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      try {
        await once();
        return;
      } catch (error) {
        if (performance.now() - startedAt > HEALTHY_AFTER_MS) wait = RETRY_MS.first;
        options.logger.warn({ event: 'worker_restarts', err: error, durationMs: wait }, 'temporal workers start anew');
        await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
        wait = Math.min(wait * 2, RETRY_MS.most);
      }
    }
  };

  const ended = loop();
  return {
    ready,
    stop: async () => {
      stopping.abort();
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

// The older maxConcurrent…Polls are ignored since 1.12. A burst after a quiet time begins with the minimum, and a queue has four partitions
// (temporalio/sdk-rust#1432 has the same minimum).
const POLLERS = { type: 'autoscaling', minimum: 5, initial: 5, maximum: 40 } as const;

function workerOptions(options: WorkersOptions, connection: NativeConnection, queue: TaskQueueOptions): WorkerOptions {
  return {
    connection,
    namespace: options.namespace,
    taskQueue: queue.taskQueue,
    activities: queue.activities,
    interceptors: options.interceptors,
    maxConcurrentActivityTaskExecutions: queue.maxConcurrentActivities,
    ...(queue.workflows === undefined
      ? {}
      : {
          workflowBundle: options.workflowBundle,
          maxConcurrentWorkflowTaskExecutions: queue.workflows.maxConcurrentTasks,
          // One works within each of them.
          maxConcurrentLocalActivityExecutions: queue.workflows.maxConcurrentTasks,
          maxCachedWorkflows: queue.workflows.maxCached,
          workflowTaskPollerBehavior: POLLERS,
        }),
    activityTaskPollerBehavior: POLLERS,
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: '20 seconds',
    ...(options.buildId === undefined
      ? {}
      : {
          workerDeploymentOptions: {
            version: { deploymentName: DEPLOYMENT_NAME, buildId: options.buildId },
            useWorkerVersioning: true,
            defaultVersioningBehavior: 'PINNED',
          },
        }),
  };
}
