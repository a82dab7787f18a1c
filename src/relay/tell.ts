import type { OutboxRow } from '../db/outbox-leases.ts';
import type { CallOutcome, WorkflowCalls, WorkflowToStart } from '../integrations/temporal/workflow-calls.ts';
import {
  answered,
  cancelled,
  checkedIn,
  completed,
  noShowMarked,
  noShowUndone,
  notificationSettled,
  overdue,
  paused,
  rescheduled,
  resumed,
  stopped,
  TASK_QUEUES,
  visitChanged,
  workflowIds,
  WORKFLOWS,
  type AppointmentInput,
  type Changed,
  type RebookFreedSlotInput,
  type ReplayNotificationsInput,
  type SickDayInput,
  type SyncClinicEhrInput,
} from '../workflows/messages.ts';

/** The outbox's schema version that this release understands. */
const SCHEMA_VERSION = 1;

/** `untellable`: no call was made, because this release does not know what the row means. */
export type TellOutcome = CallOutcome | { readonly outcome: 'untellable'; readonly reason: string };

/** These say that the row changed; whoever has ended starts again and reads it. */
const CHANGES: ReadonlySet<string> = new Set(
  [rescheduled, cancelled, checkedIn, noShowMarked, noShowUndone].map((signal) => signal.name),
);

/**
 * Turns one outbox row into one call of Temporal. Telling it twice is harmless: ids are fixed, a running workflow is used, and one that starts anew sees
 * in PostgreSQL what is left to do.
 */
export function tell(calls: WorkflowCalls, row: OutboxRow): Promise<TellOutcome> {
  if (row.schemaVersion !== SCHEMA_VERSION) return untellable('unknown_schema_version');
  switch (row.aggregate) {
    case 'appointment':
      return tellAppointment(calls, row);
    case 'round':
      return tellRound(calls, row);
    case 'replay':
      return tellReplay(calls, row);
    case 'sick_day':
      return tellSickDay(calls, row);
    case 'ehr_sync':
      return tellEhrSync(calls, row);
    default:
      return untellable('unknown_aggregate');
  }
}

function tellAppointment(calls: WorkflowCalls, row: OutboxRow): Promise<TellOutcome> {
  const workflow = start(row, {
    workflowType: WORKFLOWS.appointment,
    workflowId: workflowIds.appointment(row.aggregateId),
    taskQueue: TASK_QUEUES.appointments,
    input: { appointmentId: row.aggregateId, ...origin(row) } satisfies AppointmentInput,
    summary: 'confirmation, reminders and completion of one appointment',
  });
  const { version } = row;
  if (CHANGES.has(row.event)) {
    if (version === null) return untellable('version_missing');
    return calls.signalWithStart(workflow, { name: row.event, args: [{ version } satisfies Changed] });
  }
  switch (row.event) {
    case 'booked':
      return calls.start(workflow);
    case completed.name:
      // Nothing is left to send, and it is most often the workflow's own act: one that has ended need not run again to learn it.
      if (version === null) return untellable('version_missing');
      return calls.signalIfRunning(workflow.workflowId, { name: row.event, args: [{ version } satisfies Changed] });
    case notificationSettled.name:
      return calls.signalIfRunning(workflow.workflowId, { name: row.event, args: [] });
    case 'noticeTakenOver':
    // It has something to send now. The workflow of a visit that was cancelled has ended and is started anew.
    case overdue.name:
      return calls.signalWithStart(workflow, { name: overdue.name, args: [] });
    default:
      return untellable('unknown_event');
  }
}

function tellRound(calls: WorkflowCalls, row: OutboxRow): Promise<TellOutcome> {
  switch (row.event) {
    case 'opened':
      // The appointment's own change is in the same transaction, and its workflow starts the search as its child.
      return Promise.resolve({ outcome: 'done' });
    case overdue.name:
      return calls.signalWithStart(
        start(row, {
          workflowType: WORKFLOWS.rebookFreedSlot,
          workflowId: workflowIds.rebook(row.aggregateId),
          taskQueue: TASK_QUEUES.appointments,
          input: { roundId: row.aggregateId, ...origin(row) } satisfies RebookFreedSlotInput,
          summary: 'fill the freed slot from the waitlist',
        }),
        { name: row.event, args: [] },
      );
    default:
      return untellable('unknown_event');
  }
}

function tellReplay(calls: WorkflowCalls, row: OutboxRow): Promise<TellOutcome> {
  const workflow = start(row, {
    workflowType: WORKFLOWS.replayNotifications,
    workflowId: workflowIds.replay(row.aggregateId),
    taskQueue: TASK_QUEUES.appointments,
    input: { replayId: row.aggregateId, ...origin(row) } satisfies ReplayNotificationsInput,
    summary: 'send failed notifications again',
  });
  switch (row.event) {
    case 'requested':
      return calls.start(workflow);
    case overdue.name:
      return calls.signalWithStart(workflow, { name: row.event, args: [] });
    default:
      return untellable('unknown_event');
  }
}

function tellSickDay(calls: WorkflowCalls, row: OutboxRow): Promise<TellOutcome> {
  const workflow = start(row, {
    workflowType: WORKFLOWS.sickDay,
    workflowId: workflowIds.sickDay(row.aggregateId),
    taskQueue: TASK_QUEUES.appointments,
    input: { sickDayId: row.aggregateId, ...origin(row) } satisfies SickDayInput,
    summary: 'see to the visits of a provider who is away',
  });
  switch (row.event) {
    case 'requested':
      return calls.start(workflow);
    case answered.name:
    case visitChanged.name:
    case notificationSettled.name:
    case paused.name:
    case resumed.name:
    case stopped.name:
    case overdue.name:
      return calls.signalWithStart(workflow, { name: row.event, args: [] });
    default:
      return untellable('unknown_event');
  }
}

function tellEhrSync(calls: WorkflowCalls, row: OutboxRow): Promise<TellOutcome> {
  if (row.event !== 'requested') return untellable('unknown_event');
  // The signal is for one that is at work already: it takes up this run too before it ends.
  return calls.signalWithStart(
    start(row, {
      workflowType: WORKFLOWS.syncClinicEhr,
      workflowId: workflowIds.syncClinicEhr(row.clinicId),
      taskQueue: TASK_QUEUES.sync,
      input: { trigger: 'on_demand', runId: row.aggregateId, ...origin(row) } satisfies SyncClinicEhrInput,
      summary: 'EHR sync of one clinic, on demand',
    }),
    { name: overdue.name, args: [] },
  );
}

function start(row: OutboxRow, workflow: Omit<WorkflowToStart, 'details'>): WorkflowToStart {
  const { aggregate, aggregateId, clinicId, outboxId, event } = row;
  return {
    ...workflow,
    details: `${aggregate} \`${aggregateId}\` of clinic \`${clinicId}\`; started by outbox row ${outboxId} (${event})`,
  };
}

function origin(row: OutboxRow): { readonly clinicId: string; readonly requestId?: string } {
  return { clinicId: row.clinicId, ...(row.requestId === null ? {} : { requestId: row.requestId }) };
}

function untellable(reason: string): Promise<TellOutcome> {
  return Promise.resolve({ outcome: 'untellable', reason });
}
