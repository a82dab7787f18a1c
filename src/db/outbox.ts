import type { OutboxEvent } from '../workflows/messages.ts';
import type { Tx } from './connection.ts';

/**
 * Writes the outbox row, in the transaction of the change it tells of.
 * @param act - where it happens, and on which request
 */
export async function enqueue(
  tx: Tx,
  { clinicId, requestId }: { readonly clinicId: string; readonly requestId?: string | undefined },
  { aggregate, aggregateId, event, version }: OutboxEvent,
): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      clinic_id: clinicId,
      aggregate,
      aggregate_id: aggregateId,
      event,
      version: version ?? null,
      request_id: requestId ?? null,
      traceparent: null,
      parked_reason: null,
    })
    .execute();
}
