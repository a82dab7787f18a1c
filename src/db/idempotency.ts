import { sql } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { Tx } from './connection.ts';

/** What the doors keep with the work they do under a key. */
export interface Idempotency {
  readonly caller: string;
  readonly route: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** What the function `answer_under_key` says of a key. */
export type AnswerUnderKey =
  | { readonly outcome: 'replayed'; readonly response: unknown }
  | { readonly outcome: 'idempotency_in_progress' | 'idempotency_mismatch' };

/**
 * What an earlier request under the key was answered; undefined: this is the first, and the key is its own until the transaction ends.
 * @param tx - its context must name the key's caller
 * @throws AppError `idempotency_in_progress` while another request with this key runs, `idempotency_mismatch` for another body
 */
export async function answerUnderKey(
  tx: Tx,
  { caller, route, key, fingerprint }: Idempotency,
): Promise<{ readonly response: unknown } | undefined> {
  const { rows } = await sql<{ answer: AnswerUnderKey | null }>`
    select answer_under_key(${caller}, ${route}, ${key}, ${fingerprint}) as answer`.execute(tx);
  const answer = rows[0]?.answer ?? undefined;
  if (answer === undefined || answer.outcome === 'replayed') return answer;
  throw new AppError(answer.outcome);
}

/**
 * Does `work` once under a key, in the transaction of the work: the answer is kept with what was written, or neither is. Booking asks the same function
 * in its one round trip.
 *
 * @param tx - its context must name the key's caller
 * @returns the answer, and whether it is that of an earlier request
 * @throws AppError `idempotency_in_progress`, `idempotency_mismatch`
 */
export async function once<Answer extends object>(
  tx: Tx,
  idempotency: Idempotency | undefined,
  work: () => Promise<Answer>,
): Promise<Answer & { readonly replayed: boolean }> {
  if (idempotency === undefined) return { ...(await work()), replayed: false };
  const known = await answerUnderKey(tx, idempotency);
  if (known !== undefined) return { ...(known.response as Answer), replayed: true };
  const answer = await work();
  await tx
    .insertInto('idempotency_key')
    .values({ ...idempotency, response: JSON.stringify(answer) })
    .execute();
  return { ...answer, replayed: false };
}
