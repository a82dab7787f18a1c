import { AppError } from '../../../src/domain/errors.ts';
import type { ForeignReader } from '../../../src/integrations/foreign-files.ts';

/* Readers of foreign files as they should not be. */

export function readForEver(): never {
  for (;;);
}

export function readEverything(): number {
  const all: unknown[] = [];
  for (;;) all.push(new Array(1_000).fill(all.length));
}

export function refuse(): never {
  throw new AppError('calendar_invalid', { reason: 'too_many_events' });
}

export function fail(text: string): never {
  throw new RangeError(`cannot read ${text}`);
}

/** Counts in shared memory how many of it run at once: now, and at most. */
export function readTogether(memory: SharedArrayBuffer): number {
  const counts = new Int32Array(memory);
  const running = Atomics.add(counts, 0, 1) + 1;
  if (running > Atomics.load(counts, 1)) Atomics.store(counts, 1, running);
  // Until another one runs, or long enough for it to have begun.
  Atomics.wait(counts, 2, 0, 300);
  Atomics.sub(counts, 0, 1);
  return running;
}

export function readWhenTold(memory: SharedArrayBuffer): void {
  Atomics.wait(new Int32Array(memory), 0, 0);
}

const reader = <Args extends readonly unknown[], Value>(
  read: (...args: Args) => Value,
): ForeignReader<Args, Value> => ({
  module: import.meta.url,
  name: read.name,
  read,
});

export const FOR_EVER = reader(readForEver);
export const EVERYTHING = reader(readEverything);
export const REFUSES = reader(refuse);
export const FAILS = reader(fail);
export const WHEN_TOLD = reader(readWhenTold);
export const TOGETHER = reader(readTogether);
