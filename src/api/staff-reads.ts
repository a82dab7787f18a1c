import { audit } from '../db/audit.ts';
import type { Tx } from '../db/connection.ts';
import type { Actor } from '../scheduling/act.ts';

/** The audit's word for "somebody looked". */
export const STAFF_READ = 'read';

/** Who reads, for the audit. */
export interface Reader {
  readonly actor: Actor;
  readonly requestId: string;
}

/**
 * Reads by staff are audited, one event a request, in the transaction of the read; what patients read of their own is not.
 * @param entity - what was read; for a list the clinic, with how many rows of what it showed
 */
export async function auditStaffRead(
  tx: Tx,
  reader: Reader,
  clinicId: string,
  entity: { readonly entity: string; readonly entityId: string; readonly detail?: Readonly<Record<string, unknown>> },
): Promise<void> {
  if (reader.actor.kind === 'patient') return;
  await audit(tx, { clinicId, ...reader }, entity.entity, entity.entityId, STAFF_READ, entity.detail);
}
