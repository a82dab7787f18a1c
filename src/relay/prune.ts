import { prune } from '../db/prune.ts';
import { startLoop, type Loop } from './loop.ts';
import type { SweepDeps } from './sweep.ts';

const EVERY_MS = 60 * 60_000;
/** Small enough to be short transactions, and to be no burden beside bookings. */
const LIMIT = 1_000;

/** Every hour, deletes what nothing reads any more, so that the tables that every booking asks stay small however old the clinic is. */
export function startPruning(deps: SweepDeps): Loop {
  return startLoop(async () => {
    try {
      const count = await prune(deps.connection.db, LIMIT);
      if (count >= LIMIT) return 0;
      if (count > 0) deps.logger.info({ event: 'pruned', count });
    } catch (error) {
      deps.logger.warn({ event: 'prune_failed', err: error });
    }
    return EVERY_MS * (0.75 + deps.random() / 2);
  });
}
