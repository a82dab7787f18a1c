import { audit } from '../db/audit.ts';
import { inContext, type Connection, type RowContext, type Tx } from '../db/connection.ts';
import type { Actor } from '../scheduling/act.ts';
import type { ProviderSchedules } from '../scheduling/provider-schedules.ts';

/** The audit's word for "somebody looked". */
export const STAFF_READ = 'read';

/** Who reads, for the audit. */
export interface Reader {
  readonly actor: Actor;
  readonly requestId: string;
}

/** What every read needs. */
export interface ReadDeps {
  readonly connection: Connection;
  readonly schedules: ProviderSchedules;
  /** The clinic of a provider, from memory where it is known; see {@link Memory}. */
  readonly clinics: Memory;
}

/** What was looked up once and never changes. */
export interface Memory {
  readonly get: (id: string) => string | undefined;
  readonly keep: (id: string, found: string) => void;
}

/** Keeps the newest: what has been there longest goes when it is full. */
export function createMemory(capacity = 20_000): Memory {
  const known = new Map<string, string>();
  return {
    get: (id) => known.get(id),
    keep: (id, found) => {
      const [oldest] = known.keys();
      if (known.size >= capacity && oldest !== undefined && !known.has(id)) known.delete(oldest);
      known.set(id, found);
    },
  };
}

/** A read that shows nobody's data. Whoever asks has been authorized: `rows` says whose rows there are, and what lies outside is as if it did not exist. */
export function plain<Asked extends unknown[], Found>(find: (tx: Tx, ...asked: Asked) => Promise<Found>) {
  return ({ connection }: ReadDeps, rows: RowContext, ...asked: Asked): Promise<Found> =>
    inContext(connection.db, rows, (tx) => find(tx, ...asked));
}

/**
 * A read of one thing that shows a patient's data: audited, unless no reader is named because a change follows that is.
 * @param entity - the audit's word for it
 */
export function one<Asked extends string | { readonly id: string }, Found>(
  entity: string,
  find: (tx: Tx, asked: Asked) => Promise<Found>,
  detail?: Readonly<Record<string, unknown>>,
) {
  return ({ connection }: ReadDeps, rows: RowContext, asked: Asked, reader?: Reader): Promise<Found> =>
    inContext(connection.db, rows, async (tx) => {
      const found = await find(tx, asked);
      const entityId = typeof asked === 'string' ? asked : asked.id;
      if (found !== undefined) await auditStaffRead(tx, rows, reader, { entity, entityId, detail });
      return found;
    });
}

/**
 * A read of many things that shows patients' data: audited as a read of the clinic's, with how many there were.
 * @param what - the audit's word for them
 */
export function list<Asked, Found>(
  what: string,
  find: (tx: Tx, asked: Asked, rows: RowContext) => Promise<Found>,
  countOf: (found: Found) => number = (found) => (Array.isArray(found) ? found.length : 0),
) {
  return ({ connection }: ReadDeps, rows: RowContext, reader: Reader, asked: Asked): Promise<Found> =>
    inContext(connection.db, rows, async (tx) => {
      const found = await find(tx, asked, rows);
      const detail = { what, count: countOf(found) };
      await auditStaffRead(tx, rows, reader, { entity: 'clinic', entityId: rows.clinicId ?? '', detail });
      return found;
    });
}

/** Reads by staff are audited, one event a request, in the transaction of the read; what patients read of their own is not. */
async function auditStaffRead(
  tx: Tx,
  { clinicId }: RowContext,
  reader: Reader | undefined,
  read: {
    readonly entity: string;
    readonly entityId: string;
    readonly detail?: Readonly<Record<string, unknown>> | undefined;
  },
): Promise<void> {
  if (clinicId === undefined || reader === undefined || reader.actor.kind === 'patient') return;
  await audit(tx, { clinicId, ...reader }, read.entity, read.entityId, STAFF_READ, read.detail);
}
