import type { Connection } from '../db/connection.ts';
import { endLeases, leaseBatch, type OutboxRow, type RowEnd } from '../db/outbox-leases.ts';
import type { WorkflowCalls } from '../integrations/temporal/workflow-calls.ts';
import type { Logger } from '../logger.ts';
import { startLoop, type Loop } from './loop.ts';
import { tell } from './tell.ts';

export interface RelayDeps {
  /** As the relay role: it sees the outbox of every clinic and nothing else. */
  readonly connection: Connection;
  /** With a deadline of {@link CALL_DEADLINE_MS} and without retries of their own: a row that fails comes again by itself. */
  readonly calls: WorkflowCalls;
  readonly logger: Logger;
  readonly random: () => number;
}

const BATCH_SIZE = 100;
const CONCURRENCY = 25;
/** Longer than a whole batch can take, so that nobody else takes rows that are being told. */
const LEASE_SECONDS = 30;
export const CALL_DEADLINE_MS = 4_000;
const IDLE_MS = 100;
const AWAY_MS = 1_000;
/** A row that Temporal refuses is tried this often, in longer and longer intervals, before it is parked. */
const MAX_REFUSALS = 5;
const DATABASE_AWAY = 'database_unavailable';

/** How a batch went. */
export interface BatchResult {
  readonly leased: number;
  readonly told: number;
  readonly parked: number;
  /** Why Temporal could not be told, if it could not. */
  readonly away: string | undefined;
}

/** Turns outbox rows into workflow starts and signals until stopped. Any number of relays may run at once. */
export function startRelay(deps: RelayDeps): Loop {
  // Said once when it begins and once when it ends, however long it lasts.
  let trouble: string | undefined;
  const wait = (code: string, error?: unknown): void => {
    if (code !== trouble)
      deps.logger.warn({ event: 'relay_waits', code, ...(error === undefined ? {} : { err: error }) });
    trouble = code;
  };
  const goOn = (): void => {
    if (trouble !== undefined) deps.logger.info({ event: 'relay_goes_on' });
    trouble = undefined;
  };

  return startLoop(async () => {
    try {
      const result = await relayBatch(deps);
      if (result.away !== undefined) {
        wait(result.away);
        return AWAY_MS;
      }
      if (result.told > 0 || trouble === DATABASE_AWAY) goOn();
      return result.leased === 0 ? IDLE_MS : 0;
    } catch (error) {
      wait(DATABASE_AWAY, error);
      return AWAY_MS;
    }
  });
}

/** One batch: lease, commit, tell with bounded concurrency, write down what became of it. @throws when PostgreSQL is away */
export async function relayBatch(deps: RelayDeps): Promise<BatchResult> {
  const rows = await leaseBatch(deps.connection.db, BATCH_SIZE, LEASE_SECONDS);
  const waiting = [...rows];
  const ends: RowEnd[] = [];
  let away: string | undefined;

  const takeTurns = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const end = away === undefined ? await tellOne(deps, row) : { end: giveBack(deps, row) };
      away ??= end.away;
      ends.push(end.end);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, rows.length) }, takeTurns));

  await endLeases(deps.connection.db, ends);
  return {
    leased: rows.length,
    told: ends.filter((end) => end.outcome === 'done').length,
    parked: ends.filter((end) => end.outcome === 'parked').length,
    away,
  };
}

async function tellOne(deps: RelayDeps, row: OutboxRow): Promise<{ readonly end: RowEnd; readonly away?: string }> {
  const { outboxId } = row;
  const result = await tell(deps.calls, row);
  switch (result.outcome) {
    case 'done':
      return { end: { outboxId, outcome: 'done' } };
    case 'away':
      return { end: giveBack(deps, row), away: result.code };
    case 'untellable':
      return { end: park(deps, row, result.reason) };
    case 'refused':
      if (row.attempts >= MAX_REFUSALS) return { end: park(deps, row, result.code, result.error) };
      return { end: { outboxId, outcome: 'later', delayMs: 1_000 * 2 ** (row.attempts - 1), counts: true } };
  }
}

/** Spread a little, so that many relays do not all come back at once. */
function giveBack(deps: RelayDeps, row: OutboxRow): RowEnd {
  return { outboxId: row.outboxId, outcome: 'later', delayMs: AWAY_MS * deps.random(), counts: false };
}

function park(deps: RelayDeps, row: OutboxRow, reason: string, error?: unknown): RowEnd {
  deps.logger.error({
    event: 'outbox_parked',
    reason,
    outboxId: row.outboxId,
    clinicId: row.clinicId,
    aggregate: row.aggregate,
    aggregateId: row.aggregateId,
    ...(error === undefined ? {} : { err: error }),
  });
  return { outboxId: row.outboxId, outcome: 'parked', reason };
}
