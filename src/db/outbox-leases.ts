import { sql } from 'kysely';
import { translated, type Db } from './connection.ts';

/** A leased row of the outbox: what to tell, about what. */
export interface OutboxRow {
  readonly outboxId: string;
  readonly clinicId: string;
  readonly aggregate: string;
  readonly aggregateId: string;
  readonly event: string;
  readonly version: number | null;
  readonly schemaVersion: number;
  readonly requestId: string | null;
  /** How often it was tried with a conclusive answer, this time included. */
  readonly attempts: number;
  /** How long ago the change was made, in seconds. */
  readonly ageSeconds: number;
  /** Until when it is leased, as PostgreSQL writes it: whose the lease is. */
  readonly lease: string;
}

/** What became of a leased row. */
export type RowEnd = Pick<OutboxRow, 'outboxId' | 'lease'> &
  (
    | { readonly outcome: 'done' }
    /** Free again after `delayMs`. `counts: false` when nothing was learnt about the row itself. */
    | { readonly outcome: 'later'; readonly delayMs: number; readonly counts: boolean }
    /** For a person: it is not tried again until somebody clears the reason. */
    | { readonly outcome: 'parked'; readonly reason: string }
  );

/**
 * Takes the oldest open rows that nobody else holds; what the sweep or a rebuild has written comes after what has just happened, however much it is.
 * Whoever dies with a lease loses it when its time is up, and the rows are told twice at worst.
 */
export async function leaseBatch(db: Db, limit: number, leaseSeconds: number): Promise<OutboxRow[]> {
  const { rows } = await translated(() =>
    sql<{
      outbox_id: string;
      clinic_id: string;
      aggregate: string;
      aggregate_id: string;
      event: string;
      version: number | null;
      schema_version: number;
      request_id: string | null;
      attempts: number;
      age_seconds: number;
      lease: string;
    }>`
      with open as (
        select outbox_id from outbox
        where done_at is null and parked_reason is null and available_at <= now() and (lease_until is null or lease_until < now())
        order by (event = 'overdue'), outbox_id limit ${limit} for update skip locked
      )
      update outbox o set lease_until = now() + make_interval(secs => ${leaseSeconds}), attempts = o.attempts + 1
      from open where o.outbox_id = open.outbox_id
      returning o.outbox_id, o.clinic_id, o.aggregate, o.aggregate_id, o.event, o.version, o.schema_version, o.request_id, o.attempts,
        extract(epoch from now() - o.created_at)::float8 as age_seconds, o.lease_until::text as lease
    `.execute(db),
  );
  return rows.map((row) => ({
    outboxId: row.outbox_id,
    clinicId: row.clinic_id,
    aggregate: row.aggregate,
    aggregateId: row.aggregate_id,
    event: row.event,
    version: row.version,
    schemaVersion: row.schema_version,
    requestId: row.request_id,
    attempts: row.attempts,
    ageSeconds: row.age_seconds,
    lease: row.lease,
  }));
}

/** Writes what became of leased rows, in one statement. A row whose lease has run out and which somebody else has taken meanwhile is theirs to end. */
export async function endLeases(db: Db, ends: readonly RowEnd[]): Promise<void> {
  if (ends.length === 0) return;
  const column = <T>(read: (end: RowEnd) => T) => ends.map(read);
  const ids = column((end) => end.outboxId);
  const leases = column((end) => end.lease);
  const outcomes = column((end) => end.outcome);
  const reasons = column((end) => (end.outcome === 'parked' ? end.reason : null));
  const delays = column((end) => (end.outcome === 'later' ? Math.round(end.delayMs) : 0));
  const uncounted = column((end) => (end.outcome === 'later' && !end.counts ? 1 : 0));
  await translated(() =>
    sql`
      update outbox o set
        lease_until = null,
        done_at = case when e.outcome = 'done' then now() end,
        parked_reason = e.reason,
        available_at = now() + make_interval(secs => e.delay_ms / 1000.0),
        attempts = o.attempts - e.uncounted
      from unnest(${ids}::bigint[], ${leases}::timestamptz[], ${outcomes}::text[], ${reasons}::text[], ${delays}::integer[], ${uncounted}::integer[])
        as e (outbox_id, lease, outcome, reason, delay_ms, uncounted)
      where o.outbox_id = e.outbox_id and o.lease_until = e.lease and o.done_at is null
    `.execute(db),
  );
}

/** The sweep: tells again whatever is overdue by `late` (an interval such as `1 minute`), at most one open row each. Returns how many. */
export async function enqueueOverdue(db: Db, late: string, limit: number): Promise<number> {
  const { rows } = await translated(() =>
    sql<{ count: number }>`select enqueue_overdue(${late}::interval, ${limit}) as count`.execute(db),
  );
  return rows[0]?.count ?? 0;
}
