import { createHash } from 'node:crypto';
import type { Idempotency } from '../db/idempotency.ts';
import type { Caller } from './authentication.ts';
import { invalidField } from './problem.ts';

/** Tells that an answer is the one of an earlier request under the same key. */
export const REPLAYED_HEADER = 'idempotency-replayed';

/**
 * The request's `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header), scoped to caller and route.
 * @param body - the request as it was understood: two spellings of one instant are one body. With the clinic where the token alone says which: a caller
 * may have tokens of several, and what was written at one cannot be answered at another
 * @throws RequestError `validation_failed` for a key that is empty, longer than 255 characters or not printable
 */
export function idempotencyOf(
  header: string | string[] | undefined,
  caller: Caller,
  route: string,
  body: Readonly<Record<string, unknown>>,
): Idempotency | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header)) {
    throw invalidField('header', '/idempotency-key', 'format');
  }
  return { caller: caller.subject, route, key: header, fingerprint: fingerprintOf(body) };
}

function fingerprintOf(body: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(JSON.stringify(body, sortedKeys)).digest('hex');
}

/** For `JSON.stringify`: two orders of the same fields are one body, at every depth. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
