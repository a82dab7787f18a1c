import { prune, PRUNED_TABLES } from '../db/prune.ts';
import { startLoop, type Loop } from './loop.ts';
import type { SweepDeps } from './sweep.ts';

const EVERY_MS = 60 * 60_000;
/** Small enough to be short transactions, and to be no burden beside bookings. */
const LIMIT = 500;

/** Every hour, deletes what nothing reads any more, so that the tables that every booking asks stay small however old the clinic is. */
export function startPruning(deps: SweepDeps): Loop {
  return startLoop(async () => {
    let isMoreLeft = false;
    for (const table of PRUNED_TABLES) {
      try {
        const count = await prune(deps.connection.db, table, LIMIT);
        if (count > 0) deps.logger.info({ event: 'pruned', table, count });
        isMoreLeft ||= count === LIMIT;
      } catch (error) {
        // The other tables have their turn all the same.
        deps.logger.warn({ event: 'prune_failed', table, err: error });
      }
    }
    return isMoreLeft ? 0 : EVERY_MS * (0.75 + deps.random() / 2);
  });
}
