/** How long a race may take at most, in milliseconds: far more than it needs, so that a slow or busy machine is no failure. */
export const LONG_MS = 10 * 60_000;

/** Works through the items with so many clients at once; each takes the next item when it has its answer. */
export async function withClients<Item>(
  clients: number,
  items: Iterable<Item>,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  // One iterator for all: whoever asks it next has the next item.
  const queue = items[Symbol.iterator]();
  const client = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** One line on how long it took, for the reader of the test's output: time depends on the machine, so nothing is asserted of it. */
export function printDurations(what: string, seconds: number, durationsMs: readonly number[]): void {
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const quantile = (q: number) => (sorted[Math.min(Math.floor(q * sorted.length), sorted.length - 1)] ?? 0).toFixed(0);
  process.stderr.write(
    `${what}: ${sorted.length} requests in ${seconds.toFixed(1)} s; p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms, ` +
      `p99 ${quantile(0.99)} ms, max ${quantile(1)} ms\n`,
  );
}
