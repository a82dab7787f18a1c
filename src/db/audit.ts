import type { Tx } from './connection.ts';

/** One line of the audit: who did what to which row. `detail` holds ids, codes, versions and instants. */
export interface AuditEvent {
  /** null: what patients change about themselves happens at no clinic. */
  readonly clinicId: string | null;
  readonly entity: string;
  readonly entityId: string;
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly requestId?: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Appends to the audit, in the transaction of the change. */
export async function recordAudit(tx: Tx, event: AuditEvent): Promise<void> {
  await tx
    .insertInto('audit_event')
    .values({
      clinic_id: event.clinicId,
      entity: event.entity,
      entity_id: event.entityId,
      action: event.action,
      actor_kind: event.actor.kind,
      actor_id: event.actor.id,
      request_id: event.requestId ?? null,
      detail: JSON.stringify(event.detail ?? {}),
    })
    .execute();
}

/** Everything the audit holds about one row, oldest first. */
export function auditOf(tx: Tx, entity: string, entityId: string) {
  return tx
    .selectFrom('audit_event')
    .select(['action', 'actor_kind', 'actor_id', 'request_id', 'detail', 'occurred_at'])
    .where('entity', '=', entity)
    .where('entity_id', '=', entityId)
    .orderBy('audit_id')
    .execute();
}
