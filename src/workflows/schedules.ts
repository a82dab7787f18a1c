import { EHR_NIGHTLY_SYNC_SCHEDULE, TASK_QUEUES, WORKFLOWS, type SyncEhrInput } from './messages.ts';

/** One Temporal Schedule as `migrate` sets it up. */
export interface ScheduleDeclaration {
  readonly scheduleId: string;
  /** Every day at this time in UTC: local times are skipped or come twice when clocks change. */
  readonly daily: { readonly hour: number; readonly minute: number };
  readonly workflowType: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: readonly unknown[];
  /** How late a start that was missed is still made up for. Milliseconds. */
  readonly catchupWindowMs: number;
  readonly summary: string;
}

export const SCHEDULES: readonly ScheduleDeclaration[] = [
  {
    scheduleId: EHR_NIGHTLY_SYNC_SCHEDULE,
    daily: { hour: 2, minute: 30 },
    workflowType: WORKFLOWS.syncEhr,
    workflowId: 'sync-ehr-nightly',
    taskQueue: TASK_QUEUES.sync,
    args: [{ trigger: 'nightly' } satisfies SyncEhrInput],
    catchupWindowMs: 6 * 3_600_000,
    summary: 'Nightly EHR sync of every clinic',
  },
];
