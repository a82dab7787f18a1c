import type { Tx } from './connection.ts';

/** On whose behalf something happens, as the audit and the outbox write it down. An act of `src/scheduling` is one. */
export interface OnBehalf {
  /** Left out: what patients change about themselves happens at no clinic. */
  readonly clinicId?: string | undefined;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly requestId?: string | undefined;
}

/**
 * Appends one line to the audit, in the transaction of the change: who did what to which row.
 * @param detail - ids, codes, versions and instants
 */
export async function audit(
  tx: Tx,
  { clinicId, actor, requestId }: OnBehalf,
  entity: string,
  entityId: string,
  action: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await tx
    .insertInto('audit_event')
    .values({
      clinic_id: clinicId ?? null,
      entity,
      entity_id: entityId,
      action,
      actor_kind: actor.kind,
      actor_id: actor.id,
      request_id: requestId ?? null,
      detail: JSON.stringify(detail),
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
