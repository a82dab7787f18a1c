import { invalidField, RequestError } from './problem.ts';

/** The strong entity tag of a version (RFC 9110 §8.8.3). */
export function entityTag(version: number): string {
  return `"${String(version)}"`;
}

/** Has the client a copy, by its `If-None-Match`? `*` is any, and weak tags count (RFC 9110 §13.1.2). */
export function hasCopy(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch?.trim() === '*') return true;
  return (ifNoneMatch ?? '').split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}

/**
 * The version that `If-Match` names. `*` and no header at all name none. A tag we never gave, a weak one included, names 0, which is no version: whoever
 * compares finds a mismatch.
 * @throws RequestError `validation_failed` for what is no entity tag, and for several, as one change has one version
 */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const tag = ifMatch.trim();
  const expected = 'one entity tag in its quotes, as ETag gave it: "3"';
  if (tag.includes(',')) throw invalidField('header', '/if-match', 'one', expected);
  // RFC 9110 §8.8.3
  if (!/^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(tag)) throw invalidField('header', '/if-match', 'format', expected);
  return Number(/^"([1-9]\d{0,8})"$/.exec(tag)?.[1] ?? 0);
}

/**
 * As {@link expectedVersion}, where the client must have read what it changes: `*`, any version, would overwrite what nobody has seen.
 * @throws RequestError `precondition_required`; `version_mismatch` for a tag we never gave
 */
export function requiredVersion(ifMatch: string | undefined): number {
  const version = expectedVersion(ifMatch);
  if (version === undefined) throw new RequestError('precondition_required');
  if (version === 0) throw new RequestError('version_mismatch');
  return version;
}
