import { bundleWorkflowCode } from '@temporalio/worker';
import type { LogTarget } from './runtime.ts';

/** Bundles the workflows as the worker runs them. A few seconds: once a build, or once a start in development. */
export async function bundleWorkflows(workflowsPath: string, logger: LogTarget): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger: {
      log: () => undefined,
      trace: () => undefined,
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => logger.warn({ event: 'bundle' }, message),
      error: (message) => logger.error({ event: 'bundle' }, message),
    },
  });
  return code;
}
