import { CompleteAsyncError, type Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { AppError, type ErrorCode } from '../domain/errors.ts';

/** What may be gone the next time: Temporal tries again. Every other code is final. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'database_unavailable',
  'temporarily_unavailable',
  'broker_unavailable',
  'provider_unavailable',
  'ehr_unavailable',
  'idempotency_in_progress',
  'rate_limited',
]);

/**
 * What an activity's error becomes in the workflow's history, where it is stored in clear: the code as type and message, nothing else. Drivers put
 * values into messages, so neither the message nor the cause nor the stack of the original is passed on. Errors without a code are ours to fix
 * and are tried again, so that the next release finds the work still waiting.
 */
export function toFailure(error: unknown): Error {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError) return error;
  const code: ErrorCode = error instanceof AppError ? error.code : 'internal_error';
  return ApplicationFailure.create({
    type: code,
    message: code,
    nonRetryable: isFinal(error),
  });
}

/** Trying again does not help. */
export function isFinal(error: unknown): boolean {
  return error instanceof AppError && !TRANSIENT.has(error.code);
}

/** Reports what went wrong inside an activity, with the original error. */
export type ReportActivityError = (
  error: unknown,
  activity: { readonly activityType: string; readonly workflowId: string | undefined; readonly attempt: number },
) => void;

/** The activity interceptor that maps every error by {@link toFailure}. */
export function createFailureInterceptor(report: ReportActivityError) {
  return (context: Context) => ({
    inbound: {
      async execute<Input>(input: Input, next: (input: Input) => Promise<unknown>): Promise<unknown> {
        try {
          return await next(input);
        } catch (error) {
          const failure = toFailure(error);
          if (failure !== error) {
            const { activityType, attempt, workflowExecution } = context.info;
            report(error, { activityType, attempt, workflowId: workflowExecution?.workflowId });
          }
          throw failure;
        }
      },
    },
  });
}
