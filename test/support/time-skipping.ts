import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

// temporal.api.enums.v1.FastForwardPollingResult
const POLL_TIMED_OUT = 1;
const COMPLETED = 2;

/**
 * Moves the clock of one running workflow forward, by Temporal's own time skipping; the server must have been started with
 * `frontend.WorkflowTimeSkippingEnabled`. Timers and waits for a retry on the way fire in their order; activities run in real time.
 *
 * The answer may come before the activity of the last timer has run: wait for its effect, not for this.
 *
 * @returns `ended` when the workflow came to its end on the way
 */
export async function skipTime(client: Client, workflowId: string, durationMs: number): Promise<'skipped' | 'ended'> {
  const { namespace } = client.options;
  const { workflowService } = client.connection;
  const workflowExecution = { workflowId };
  const fastForwardId = randomUUID();
  await workflowService.updateWorkflowExecutionOptions({
    namespace,
    workflowExecution,
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        fastForwardConfig: { id: fastForwardId, duration: msToTs(Math.max(1, Math.round(durationMs))) },
      },
    },
    updateMask: { paths: ['time_skipping_config'] },
  });
  for (;;) {
    const answer = await workflowService.pollWorkflowExecutionTimeSkipping({
      namespace,
      workflowExecution,
      fastForwardId,
    });
    const result: number = answer.fastForwardPollingResult;
    if (result === COMPLETED) return 'skipped';
    if (result === POLL_TIMED_OUT) continue;
    const { status } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return 'ended';
    throw new Error(`The time of ${workflowId} could not be skipped: ${answer.failedReason}`);
  }
}
