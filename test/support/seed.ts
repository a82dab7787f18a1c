import { randomInt } from 'node:crypto';

/** The same choices again for the same seed. */
export interface Dice {
  /** A whole number from 0 to `n` - 1. */
  readonly below: (n: number) => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  readonly shuffled: <Item>(items: readonly Item[]) => Item[];
}

/**
 * The seed of a random test: the one in `SEED`, to repeat a run, else a new one. It is printed either way. What was chosen is the same again; how the
 * racers interleave is not.
 */
export function drawSeed(what: string): number {
  const given = process.env['SEED'] ?? '';
  const seed = given === '' ? randomInt(2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error('SEED must be a whole number');
  process.stderr.write(`${what}: SEED=${seed}\n`);
  return seed;
}

/** `PROPERTIES=all`: the property tests ask about everything; without it, about a tenth that is drawn anew in each run. */
export const ASKS_EVERYTHING = process.env['PROPERTIES'] === 'all';

/** A tenth of the items and, whatever is drawn, these; or all of them ({@link ASKS_EVERYTHING}). */
export function drawTenth<Item>(what: string, items: readonly Item[], always: readonly Item[] = []): readonly Item[] {
  if (ASKS_EVERYTHING) return items;
  const drawn = diceOf(drawSeed(what))
    .shuffled(items)
    .slice(0, Math.ceil(items.length / 10));
  return [...new Set([...always, ...drawn])];
}

/** Marsaglia's xorshift with 32 bits: good enough to choose by, and a few lines. */
export function diceOf(seed: number): Dice {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  const below = (n: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  return {
    below,
    pick,
    shuffled: (items) => {
      const rest = [...items];
      return items.map(() => rest.splice(below(rest.length), 1)).flat();
    },
  };
}
