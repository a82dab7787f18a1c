import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../db/connection.ts';
import { endLeases, leaseBatch, type OutboxRow, type RowEnd } from '../db/outbox-leases.ts';
import type { WorkflowCalls } from '../integrations/temporal/workflow-calls.ts';
import type { Logger } from '../logger.ts';
import { startLoop, type Loop } from './loop.ts';
import { createSparing } from './sparingly.ts';
import { tell, type TellOutcome } from './tell.ts';

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
/** A call that takes longer than this after all others goes on by itself: one that hangs holds up no batch. */
const PATIENCE_MS = 250;
const IDLE_MS = 100;
const AWAY_MS = 1_000;
const LOG_EVERY_MS = 60_000;
const DATABASE_AWAY = 'database_unavailable';

/**
 * A row that Temporal refuses is tried again after 1 s, 2 s, 4 s … and parked at last: soon where it says that the request is wrong (half a minute),
 * later where it cannot serve that one workflow now (after some 20 minutes).
 */
const TRIES = { refused: 5, unclear: 12 } as const;
const MOST_BACKOFF_MS = 5 * 60_000;
/** A word of a newer release waits for that release: after 10 s and then a tenth of its age, for a day. */
const UNKNOWN = { firstMs: 10_000, mostMs: 5 * 60_000, parkedAfterSeconds: 86_400 } as const;

/** How a batch went. */
export interface BatchResult {
  readonly leased: number;
  readonly told: number;
  readonly parked: number;
  /** Why Temporal could not be told, if nothing of the batch was told. */
  readonly away: string | undefined;
}

export interface Relay {
  /** One batch: lease, commit, tell with bounded concurrency, write down what became of it. @throws when PostgreSQL is away */
  readonly batch: () => Promise<BatchResult>;
  /** Waits for the calls that a batch did not wait for. */
  readonly settle: () => Promise<void>;
}

/** Turns outbox rows into workflow starts and signals until stopped. Any number of relays may run at once. */
export function startRelay(deps: RelayDeps): Loop {
  // Said once when it begins and once when it ends, however long it lasts.
  let trouble: string | undefined;
  const wait = (code: string, error?: unknown): void => {
    if (code !== trouble) deps.logger.warn({ event: 'relay_waits', code, err: error });
    trouble = code;
  };
  const goOn = (): void => {
    if (trouble !== undefined) deps.logger.info({ event: 'relay_goes_on' });
    trouble = undefined;
  };

  const relay = createRelay(deps);
  const loop = startLoop(async () => {
    try {
      const result = await relay.batch();
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
  return {
    stop: async () => {
      await loop.stop();
      await relay.settle();
    },
  };
}

/**
 * The relay's work, batch by batch. One row that Temporal cannot serve is no reason to wait: Temporal is away only when nothing was told while
 * calls failed. Otherwise the failure is that row's own: it is counted, comes back later and later, and is parked at last.
 */
export function createRelay(deps: RelayDeps): Relay {
  const { connection, logger } = deps;
  const mayLog = createSparing(LOG_EVERY_MS, () => performance.now());
  let told = 0;
  /** Calls that a batch did not wait for. */
  const hanging = new Set<Promise<void>>();
  /** How the last of them failed while nothing was told, and no batch has said so yet. */
  let hungUp: string | undefined;

  async function batch(): Promise<BatchResult> {
    // Nothing answers any more: more calls would hang beside them.
    if (hanging.size >= CONCURRENCY) await Promise.race(hanging);
    const concurrency = Math.max(1, CONCURRENCY - hanging.size);
    const waiting = await leaseBatch(connection.db, BATCH_SIZE, LEASE_SECONDS);
    const leased = waiting.length;
    const toldBefore = told;
    const answers = new Map<OutboxRow, TellOutcome>();
    const open = new Map<OutboxRow, Promise<void>>();
    let unclear = 0;

    const tellOne = async (row: OutboxRow): Promise<void> => {
      const answer = await tell(deps.calls, row);
      if (answer.outcome === 'done') told += 1;
      if (answer.outcome === 'unclear') unclear += 1;
      answers.set(row, answer);
      open.delete(row);
    };
    const takeTurns = async (): Promise<void> => {
      while (told > toldBefore || unclear < concurrency) {
        const row = waiting.shift();
        if (row === undefined) return;
        const call = tellOne(row);
        open.set(row, call);
        await call;
      }
    };
    const turns = Array.from({ length: Math.min(concurrency, leased) }, takeTurns);
    await Promise.race([Promise.all(turns), allBegun(turns, waiting, open)]);

    for (const [row, call] of open) letHang(row, call, answers, toldBefore);
    // At once: they are tried before those that have just failed.
    const ends: RowEnd[] = waiting.map((row) => ({ ...leaseOf(row), outcome: 'later', delayMs: 0, counts: false }));
    let away = told > toldBefore ? undefined : hungUp;
    hungUp = undefined;
    for (const [row, answer] of answers) {
      if (answer.outcome === 'unclear' && told === toldBefore) away = answer.code;
      ends.push(endOf(row, answer, told > toldBefore));
    }
    await endLeases(connection.db, ends);
    return {
      leased,
      told: ends.filter((end) => end.outcome === 'done').length,
      parked: ends.filter((end) => end.outcome === 'parked').length,
      away,
    };
  }

  function letHang(
    row: OutboxRow,
    call: Promise<void>,
    answers: ReadonlyMap<OutboxRow, TellOutcome>,
    toldBefore: number,
  ): void {
    const ended = call
      .then(async () => {
        const answer = answers.get(row);
        if (answer === undefined) return;
        if (answer.outcome === 'unclear' && told === toldBefore) hungUp = answer.code;
        await endLeases(connection.db, [endOf(row, answer, told > toldBefore)]);
      })
      // PostgreSQL is away: the lease runs out by itself.
      .catch(() => undefined)
      .finally(() => hanging.delete(ended));
    hanging.add(ended);
  }

  /** @param othersWereTold - since this row was leased: so Temporal is there */
  function endOf(row: OutboxRow, answer: TellOutcome, othersWereTold: boolean): RowEnd {
    switch (answer.outcome) {
      case 'done':
        return { ...leaseOf(row), outcome: 'done' };
      case 'unknown': {
        if (row.ageSeconds > UNKNOWN.parkedAfterSeconds) return park(row, answer.reason);
        report('outbox_unknown', row, answer.reason);
        const delayMs = Math.min(UNKNOWN.mostMs, Math.max(UNKNOWN.firstMs, row.ageSeconds * 100));
        return { ...leaseOf(row), outcome: 'later', delayMs, counts: false };
      }
      case 'unclear':
        if (!othersWereTold) return notNow(row);
        return refused(row, answer.code, TRIES.unclear, answer.error);
      case 'refused':
        return refused(row, answer.code, TRIES.refused, answer.error);
    }
  }

  function refused(row: OutboxRow, code: string, tries: number, error: unknown): RowEnd {
    if (row.attempts >= tries) return park(row, code, error);
    report('outbox_refused', row, code, error);
    const delayMs = Math.min(MOST_BACKOFF_MS, 1_000 * 2 ** (row.attempts - 1));
    return { ...leaseOf(row), outcome: 'later', delayMs, counts: true };
  }

  /** After the next batch, which tries others first; spread a little, so that many relays do not all come back at once. */
  function notNow(row: OutboxRow): RowEnd {
    return { ...leaseOf(row), outcome: 'later', delayMs: AWAY_MS * (2 + deps.random()), counts: false };
  }

  function report(event: string, row: OutboxRow, code: string, error?: unknown): void {
    if (!mayLog(`${event} ${code}`)) return;
    logger.warn({ event, code, attempts: row.attempts, ...idsOf(row), err: error });
  }

  function park(row: OutboxRow, reason: string, error?: unknown): RowEnd {
    logger.error({ event: 'outbox_parked', reason, ...idsOf(row), err: error });
    return { ...leaseOf(row), outcome: 'parked', reason };
  }

  return {
    batch,
    settle: async () => {
      await Promise.all(hanging);
    },
  };
}

/** Resolves some time after the last row was begun, if its call is still out then. */
async function allBegun(
  turns: readonly Promise<void>[],
  waiting: readonly OutboxRow[],
  open: ReadonlyMap<OutboxRow, Promise<void>>,
): Promise<void> {
  // Whoever has no row left to take ends: from then on nothing waits any more.
  await Promise.race(turns);
  while (waiting.length > 0 && open.size > 0) await Promise.race(open.values());
  await delay(PATIENCE_MS, undefined, { ref: false });
}

function leaseOf({ outboxId, lease }: OutboxRow) {
  return { outboxId, lease };
}

function idsOf({ outboxId, clinicId, aggregate, aggregateId }: OutboxRow) {
  return { outboxId, clinicId, aggregate, aggregateId };
}
