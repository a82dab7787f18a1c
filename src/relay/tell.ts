import type { OutboxRow } from '../db/outbox-leases.ts';
import type { CallOutcome, WorkflowCalls, WorkflowToStart } from '../integrations/temporal/workflow-calls.ts';
import { VOCABULARY, type AggregateWorkflow, type Changed } from '../workflows/messages.ts';

/** The outbox's schema version that this release understands. */
const SCHEMA_VERSION = 1;

/** `unknown`: no call was made, because this release does not know the word. A newer one, which may be running beside it already, does. */
export type TellOutcome = CallOutcome | { readonly outcome: 'unknown'; readonly reason: string };

/**
 * Turns one outbox row into the one call of Temporal that the vocabulary says. Telling it twice is harmless: ids are fixed, a running workflow is used,
 * and one that starts anew sees in PostgreSQL what is left to do.
 */
export function tell(
  calls: WorkflowCalls,
  row: OutboxRow,
  vocabulary: Readonly<Record<string, AggregateWorkflow>> = VOCABULARY,
): Promise<TellOutcome> {
  if (row.schemaVersion !== SCHEMA_VERSION) return unknown('unknown_schema_version');
  const about = entry(vocabulary, row.aggregate);
  if (about === undefined) return unknown('unknown_aggregate');
  const telling = entry(about.events, row.event);
  if (telling === undefined) return unknown('unknown_event');
  if (telling.carries === 'version' && row.version === null) {
    return Promise.resolve({ outcome: 'refused', code: 'version_missing' });
  }
  const signal = {
    name: row.event,
    args: telling.carries === 'version' ? [{ version: row.version } as Changed] : [],
  };
  const workflow = workflowOf(about, row);
  switch (telling.how) {
    case 'start':
      return calls.start(workflow);
    case 'signal':
      return calls.signalWithStart(workflow, signal);
    case 'signalIfRunning':
      return calls.signalIfRunning(workflow.workflowId, signal);
  }
}

function workflowOf(about: AggregateWorkflow, row: OutboxRow): WorkflowToStart {
  const { aggregate, aggregateId, clinicId, outboxId, event, requestId } = row;
  return {
    workflowType: about.workflowType,
    workflowId: about.workflowId(row),
    taskQueue: about.taskQueue,
    input: { ...about.input(aggregateId), clinicId, ...(requestId === null ? {} : { requestId }) },
    summary: about.summary,
    details: `${aggregate} \`${aggregateId}\` of clinic \`${clinicId}\`; started by outbox row ${outboxId} (${event})`,
  };
}

function entry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function unknown(reason: string): Promise<TellOutcome> {
  return Promise.resolve({ outcome: 'unknown', reason });
}
