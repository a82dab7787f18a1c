import { AppError } from '../domain/errors.ts';
import type { Tx } from './connection.ts';

/** What the doors keep with the work they do under a key. */
export interface Idempotency {
  readonly caller: string;
  readonly route: string;
  readonly key: string;
  readonly fingerprint: string;
}

/**
 * Does `work` once under a key, in the transaction of the work: the answer is kept with what was written, or neither is. Holds for what runs in the
 * caller's own transaction; booking has its own, in one round trip.
 *
 * @param tx - its context must name the key's caller
 * @returns the answer, and whether it is that of an earlier request
 * @throws AppError `idempotency_in_progress` while another request with this key runs, `idempotency_mismatch` for another body
 */
export async function once<Answer extends object>(
  tx: Tx,
  idempotency: Idempotency | undefined,
  work: () => Promise<Answer>,
): Promise<Answer & { readonly replayed: boolean }> {
  if (idempotency === undefined) return { ...(await work()), replayed: false };
  const { caller, route, key, fingerprint } = idempotency;
  const lockName = JSON.stringify(['idempotency', caller, route, key]);
  const { locked } = await tx
    .selectNoFrom((eb) =>
      eb
        .fn<boolean>('pg_try_advisory_xact_lock', [eb.fn('hashtextextended', [eb.val(lockName), eb.val(0)])])
        .as('locked'),
    )
    .executeTakeFirstOrThrow();
  if (!locked) throw new AppError('idempotency_in_progress');
  const known = await tx
    .selectFrom('idempotency_key')
    .select(['fingerprint', 'response'])
    .where('caller', '=', caller)
    .where('route', '=', route)
    .where('key', '=', key)
    .executeTakeFirst();
  if (known !== undefined) {
    if (known.fingerprint !== fingerprint) throw new AppError('idempotency_mismatch');
    return { ...(known.response as Answer), replayed: true };
  }
  const answer = await work();
  await tx
    .insertInto('idempotency_key')
    .values({ caller, route, key, fingerprint, response: JSON.stringify(answer) })
    .execute();
  return { ...answer, replayed: false };
}
