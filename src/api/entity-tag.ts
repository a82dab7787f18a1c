import { RequestError } from './problem.ts';

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
 * @throws RequestError `validation_failed` for several tags, as one change has one version
 */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  if (ifMatch.includes(','))
    throw new RequestError('validation_failed', { fields: [{ in: 'header', pointer: '/if-match', rule: 'one' }] });
  return Number(/^"([1-9]\d{0,8})"$/.exec(ifMatch.trim())?.[1] ?? 0);
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
