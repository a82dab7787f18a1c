import { Context } from '@temporalio/activity';

/**
 * An activity's *now*: the later of the machine's clock, the instant at which Temporal scheduled this attempt and the clock of its workflow, where the
 * workflow passed it on (a local activity is scheduled by nobody but the machine). Right in production, also when the work comes late; right as well
 * when a workflow's time is skipped, because then only Temporal's clock has moved on.
 *
 * @param clock - the machine's clock, epoch milliseconds
 * @param workflowNow - ISO
 */
export function activityNow(clock: () => number, workflowNow?: string): Date {
  const scheduled = Context.current().info.currentAttemptScheduledTimestampMs;
  return new Date(Math.max(clock(), scheduled, workflowNow === undefined ? 0 : Date.parse(workflowNow)));
}
