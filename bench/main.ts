import { benchBooking, benchRace } from './booking.ts';
import { benchSearch } from './search.ts';
import { createWorld } from './world.ts';

/** The benchmarks in their order; `npm run bench -- search` runs one of them. */
const BENCHMARKS = { booking: benchBooking, race: benchRace, search: benchSearch };
/** Visits in the tables before anything is measured. */
const PRELOADED = 100_000;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}: choose of ${Object.keys(BENCHMARKS).join(', ')}.`);
  process.exit(1);
}

const began = performance.now();
const log = (line: string): void =>
  console.error(`[bench +${((performance.now() - began) / 1_000).toFixed(0)}s] ${line}`);
log('starting PostgreSQL and Redis');
const world = await createWorld(PRELOADED, log);
try {
  for (const [name, bench] of Object.entries(BENCHMARKS)) {
    if (wanted.length === 0 || wanted.includes(name)) await bench(world, log);
  }
} finally {
  await world.close();
}
