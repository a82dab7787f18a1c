import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import {
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/common';

/** A workflow that is to be there. It is started unless it runs already; one that has ended starts anew. */
export interface WorkflowToStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly input: object;
  /** One line for the Web UI, at most 200 bytes. */
  readonly summary: string;
  readonly details: string;
}

export interface SignalToSend {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What became of a call. Errors are outcomes here: the caller has to decide on each. */
export type CallOutcome =
  | { readonly outcome: 'done' }
  /**
   * Temporal is away, slow or not set up yet, or it cannot serve this one workflow: the answer alone does not tell. Whoever makes many calls sees by
   * the others which it is.
   */
  | { readonly outcome: 'unclear'; readonly code: string; readonly error?: unknown }
  /** Temporal refuses this very call. */
  | { readonly outcome: 'refused'; readonly code: string; readonly error?: unknown };

/** The calls that tell workflows what happened. Each may be repeated. */
export interface WorkflowCalls {
  readonly start: (workflow: WorkflowToStart) => Promise<CallOutcome>;
  readonly signalWithStart: (workflow: WorkflowToStart, signal: SignalToSend) => Promise<CallOutcome>;
  /** A workflow that has ended needs no signal. */
  readonly signalIfRunning: (workflowId: string, signal: SignalToSend) => Promise<CallOutcome>;
}

/** @param deadlineMs - how long one call may take */
export function createWorkflowCalls(client: Client, deadlineMs: number): WorkflowCalls {
  const attempt = async (call: () => Promise<unknown>): Promise<CallOutcome> => {
    try {
      await client.withDeadline(Date.now() + deadlineMs, call);
      return { outcome: 'done' };
    } catch (error) {
      return judge(error);
    }
  };

  return {
    start: (workflow) => attempt(() => client.workflow.start(workflow.workflowType, startOptions(workflow))),
    signalWithStart: (workflow, { name, args }) =>
      attempt(() =>
        client.workflow.signalWithStart(workflow.workflowType, {
          ...startOptions(workflow),
          signal: name,
          signalArgs: [...args],
        }),
      ),
    signalIfRunning: (workflowId, { name, args }) =>
      attempt(() =>
        client.workflow
          .getHandle(workflowId)
          .signal(name, ...args)
          .catch((error: unknown) => {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
          }),
      ),
  };
}

function startOptions(workflow: WorkflowToStart) {
  return {
    workflowId: workflow.workflowId,
    taskQueue: workflow.taskQueue,
    args: [workflow.input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: workflow.summary,
    staticDetails: workflow.details,
  } as const;
}

/** The statuses with which a server refuses the request itself (grpc.io/docs/guides/status-codes). */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [3, 'INVALID_ARGUMENT'],
  [7, 'PERMISSION_DENIED'],
  [9, 'FAILED_PRECONDITION'],
  [11, 'OUT_OF_RANGE'],
  [12, 'UNIMPLEMENTED'],
]);

function judge(error: unknown): CallOutcome {
  if (error instanceof WorkflowExecutionAlreadyStartedError) return { outcome: 'done' };
  if (error instanceof NamespaceNotFoundError) return { outcome: 'unclear', code: 'NAMESPACE_NOT_FOUND', error };
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return { outcome: 'refused', code: 'UNEXPECTED', error };
  const refusal = REFUSALS.get(cause.code);
  return refusal === undefined
    ? { outcome: 'unclear', code: `GRPC_${cause.code}`, error }
    : { outcome: 'refused', code: refusal, error };
}
