/**
 * Says whether a thing may be logged now: the same one at most once in `everyMs`. Trouble that goes on for an hour is one line a minute, not hundreds a
 * second.
 *
 * @param clock - epoch milliseconds
 */
export function createSparing(everyMs: number, clock: () => number): (what: string) => boolean {
  const lastAt = new Map<string, number>();
  return (what) => {
    const now = clock();
    const last = lastAt.get(what);
    if (last !== undefined && now - last < everyMs) return false;
    lastAt.set(what, now);
    return true;
  };
}
