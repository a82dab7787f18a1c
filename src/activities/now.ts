import { Context } from '@temporalio/activity';

/**
 * An activity's *now*: the later of the machine's clock and the instant at which Temporal scheduled this attempt. Right in production, also when the
 * work comes late; right as well when a workflow's time is skipped, because then only Temporal's clock has moved on.
 *
 * @param clock - the machine's clock, epoch milliseconds
 */
export function activityNow(clock: () => number): Date {
  return laterOf(clock(), Context.current().info.currentAttemptScheduledTimestampMs);
}

function laterOf(machine: number, scheduled: number): Date {
  return new Date(Math.max(machine, scheduled));
}
