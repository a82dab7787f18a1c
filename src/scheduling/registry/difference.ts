import { isDeepStrictEqual } from 'node:util';

/** Those fields of `wanted` that are not so already. None: there is nothing to write and nothing to audit. */
export function differenceFrom<T extends object>(
  before: T,
  wanted: { readonly [Name in keyof T]?: T[Name] | undefined },
): Partial<T> {
  const differs = ([name, value]: [string, unknown]) =>
    value !== undefined && !isDeepStrictEqual(value, before[name as keyof T]);
  return Object.fromEntries(Object.entries(wanted).filter(differs)) as Partial<T>;
}
