import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { Connection } from '../../../src/db/connection.ts';
import type { Operation } from './history.ts';
import { idIn, NOTHING_BOOKED, step, type Answer, type Command, type Model } from './model.ts';

export type Asked = Operation<Command, Answer>;

/** The order in which PostgreSQL committed what changed anything: request ids, first to last. */
export async function commitOrder(owner: Connection, operations: readonly Asked[]): Promise<string[]> {
  // The audit's row is written under the locks that whatever contradicts it needs: of two such the one with the smaller id was committed first.
  const { rows } = await sql<{ request_id: string }>`select request_id from audit_event
    where request_id = any(${operations.map((operation) => operation.requestId)}) group by 1 order by min(audit_id)`.execute(
    owner.db,
  );
  return rows.map((row) => row.request_id);
}

/**
 * Is there one order of everything that was asked, in which each was done in a moment between its question and its answer, that the model explains? What
 * changed something is replayed in the order of its commits and must be answered as it was; for what changed nothing there must be a moment at which the
 * model answers the same, and those moments must not go back in time either. Returns what cannot be explained, and the model as it is at the end.
 */
export function explain(
  operations: readonly Asked[],
  committed: readonly string[],
): { readonly faults: readonly string[]; readonly end: Model } {
  const faults: string[] = [];
  const byRequest = new Map(operations.map((operation) => [operation.requestId, operation]));
  const writes = committed.flatMap((requestId) => byRequest.get(requestId) ?? []);
  const states: Model[] = [NOTHING_BOOKED];
  let end = NOTHING_BOOKED;
  for (const [n, write] of writes.entries()) {
    const { answer, model } = step(end, write.wish, newIdOf(write));
    if (!isAnswered(write, answer))
      faults.push(`commit ${n + 1}: ${tell(write)}; the model says ${JSON.stringify(answer)}`);
    const late = writes.slice(n + 1).find((later) => later.settledAt < write.invokedAt);
    if (late !== undefined)
      faults.push(`${tell(late)} before ${tell(write)} was asked for, but was committed after it`);
    end = model;
    states.push(model);
  }

  const written = new Set(committed);
  const placed: { readonly settledAt: number; readonly moment: number }[] = [];
  const reads = operations.filter((operation) => !written.has(operation.requestId));
  for (const read of reads.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    const before = writes.findLastIndex((write) => write.settledAt < read.invokedAt) + 1;
    const after = writes.findIndex((write) => write.invokedAt > read.settledAt);
    const earliest = placed.reduce(
      (least, other) => (other.settledAt < read.invokedAt ? Math.max(least, other.moment) : least),
      before,
    );
    const latest = after < 0 ? writes.length : after;
    const moment = states.findIndex(
      (state, n) => n >= earliest && n <= latest && isAnswered(read, step(state, read.wish, newIdOf(read)).answer),
    );
    if (moment < 0) faults.push(`at no moment: ${tell(read)}`);
    else placed.push({ settledAt: read.settledAt, moment });
  }
  return { faults, end };
}

function newIdOf(operation: Asked): string {
  return operation.outcome === 'ok' ? idIn(operation.answer) : '';
}

function isAnswered(operation: Asked, answer: Answer): boolean {
  return operation.outcome === 'ok' && isDeepStrictEqual(operation.answer, answer);
}

function tell(operation: Asked): string {
  const answer = operation.outcome === 'ok' ? JSON.stringify(operation.answer) : operation.outcome;
  return `${JSON.stringify(operation.wish)} was answered ${answer}`;
}
