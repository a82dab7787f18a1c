import type { Tx } from './connection.ts';

/** What a change says to the relay. `event` is the signal's name, or what starts a workflow. */
export interface OutboxEvent {
  readonly clinicId: string;
  readonly aggregate: 'appointment' | 'round' | 'replay' | 'ehr_sync' | 'sick_day';
  readonly aggregateId: string;
  readonly event: string;
  readonly version?: number;
  readonly requestId?: string | undefined;
}

/** Writes the outbox row, in the transaction of the change it tells of. */
export async function enqueue(tx: Tx, event: OutboxEvent): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      clinic_id: event.clinicId,
      aggregate: event.aggregate,
      aggregate_id: event.aggregateId,
      event: event.event,
      version: event.version ?? null,
      request_id: event.requestId ?? null,
      traceparent: null,
      parked_reason: null,
    })
    .execute();
}
