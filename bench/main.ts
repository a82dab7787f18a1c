import { benchBooking, benchRace } from './booking.ts';
import { benchBurst, FULL_BURST } from './burst.ts';
import { benchSearch } from './search.ts';
import { benchSize } from './size.ts';
import { createWorld } from './world.ts';

/** The benchmarks in their order; `npm run bench -- search` runs one of them. `burst=50,500` is a small one: 50 bookings and 500 reminders; `size=0.1` has a
 * tenth of the rows. */
const BENCHMARKS = { booking: benchBooking, race: benchRace, search: benchSearch };
/** Visits in the tables before anything is measured. */
const PRELOADED = 100_000;

const NAMES = [...Object.keys(BENCHMARKS), 'burst', 'size'];

const wanted = new Map<string, string | undefined>(
  process.argv.slice(2).map((argument) => {
    const [name = '', size] = argument.split('=');
    return [name, size];
  }),
);
const unknown = [...wanted.keys()].filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}: choose of ${NAMES.join(', ')}.`);
  process.exit(1);
}
const isWanted = (name: string): boolean => wanted.size === 0 || wanted.has(name);

const began = performance.now();
const log = (line: string): void =>
  console.error(`[bench +${((performance.now() - began) / 1_000).toFixed(0)}s] ${line}`);
if (Object.keys(BENCHMARKS).some(isWanted)) {
  log('starting PostgreSQL and Redis');
  const world = await createWorld(PRELOADED, log);
  try {
    for (const [name, bench] of Object.entries(BENCHMARKS)) if (isWanted(name)) await bench(world, log);
  } finally {
    await world.close();
  }
}
// It has servers of its own: the others would be measured with them.
if (isWanted('burst')) {
  const [bookings = FULL_BURST.bookings, reminders = FULL_BURST.reminders] =
    wanted.get('burst')?.split(',').map(Number) ?? [];
  await benchBurst({ bookings, reminders }, log);
}
if (isWanted('size')) await benchSize(Number(wanted.get('size') ?? 1), log);
