import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Connection } from '../../../src/db/connection.ts';
import { AppError, type ErrorCode } from '../../../src/domain/errors.ts';

/** What came of a request. `unknown`: it may have been done or not, as the client cannot tell. */
type Outcome<Answer> =
  | { readonly outcome: 'ok'; readonly answer: Answer }
  | { readonly outcome: 'refused'; readonly code: ErrorCode }
  | { readonly outcome: 'unknown'; readonly error: unknown };

/** One request of one client, as the client saw it. Milliseconds of one monotonic clock. */
export type Operation<Wish, Answer> = Outcome<Answer> & {
  readonly requestId: string;
  readonly wish: Wish;
  readonly invokedAt: number;
  readonly settledAt: number;
};

/** The log of everything that all clients asked, in the order of the answers. */
export interface History<Wish, Answer> {
  readonly operations: readonly Operation<Wish, Answer>[];
  /** Asks for the wish under a request id of its own, which the audit and the outbox keep. Never rejects. */
  readonly perform: (wish: Wish, ask: (requestId: string) => Promise<Answer>) => Promise<Operation<Wish, Answer>>;
}

export function createHistory<Wish, Answer>(): History<Wish, Answer> {
  const operations: Operation<Wish, Answer>[] = [];
  return {
    operations,
    perform: async (wish, ask) => {
      const requestId = randomUUID();
      const invokedAt = performance.now();
      const outcome = await ask(requestId).then(
        (answer) => ({ outcome: 'ok', answer }) as const,
        (error: unknown) => refusalOf(error),
      );
      const operation = { requestId, wish, invokedAt, settledAt: performance.now(), ...outcome };
      operations.push(operation);
      return operation;
    },
  };
}

function refusalOf(error: unknown): Exclude<Outcome<never>, { outcome: 'ok' }> {
  return error instanceof AppError && error.code !== 'database_unavailable'
    ? { outcome: 'refused', code: error.code }
    : { outcome: 'unknown', error };
}

type Trace = 'changed' | 'noted' | 'nothing';

/** What a success has left behind: `changed` in the audit and in the outbox, `noted` in the audit only; its answer may not tell which of two. */
export type Effect = Trace | 'noted or nothing';

/**
 * Where the history and the database disagree: what was answered with a success must be there as it was answered; what was refused must have left
 * nothing; what is unknown must be in the audit and in the outbox or in neither.
 */
export async function visibilityFaults<Wish, Answer>(
  owner: Connection,
  operations: readonly Operation<Wish, Answer>[],
  effectOf: (answer: Answer) => Effect,
): Promise<string[]> {
  const audited = await requestsIn(owner, 'audit_event');
  const told = await requestsIn(owner, 'outbox');
  return operations.flatMap((operation) => {
    const [audit, outbox] = [audited, told].map((requests) => requests.get(operation.requestId) ?? 0);
    const seen: Trace = outbox !== 0 ? 'changed' : audit !== 0 ? 'noted' : 'nothing';
    const isWhole = seen !== 'changed' || audit !== 0;
    const isAsAnswered =
      operation.outcome === 'unknown'
        ? seen !== 'noted'
        : (operation.outcome === 'ok' ? effectOf(operation.answer) : 'nothing').split(' or ').includes(seen);
    if (isWhole && isAsAnswered) return [];
    const what = operation.outcome === 'refused' ? `refused with ${operation.code}` : operation.outcome;
    return [`${JSON.stringify(operation.wish)} was ${what}: audit ${audit ?? 0}, outbox ${outbox ?? 0} row(s)`];
  });
}

async function requestsIn(owner: Connection, table: 'audit_event' | 'outbox'): Promise<Map<string, number>> {
  const { rows } = await sql<{ request_id: string; n: number }>`select request_id, count(*)::integer as n
    from ${sql.table(table)} where request_id is not null group by request_id`.execute(owner.db);
  return new Map(rows.map((row) => [row.request_id, row.n]));
}

/** Answers that nobody should have got: their codes, and what is unknown, with their numbers. */
export function unexpectedAnswers<Wish, Answer>(
  operations: readonly Operation<Wish, Answer>[],
  refusals: readonly ErrorCode[],
): string[] {
  const unexpected = operations.flatMap((operation) => {
    if (operation.outcome === 'unknown') return [`unknown: ${String(operation.error)}`];
    return operation.outcome === 'refused' && !refusals.includes(operation.code) ? [operation.code] : [];
  });
  return Object.entries(countOf(unexpected)).map(([answer, times]) => `${times} times the answer ${answer}`);
}

/** How often each word occurs. */
export function countOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of [...words].sort()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
