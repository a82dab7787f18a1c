import type { Connection } from '../db/connection.ts';
import { enqueueOverdue } from '../db/outbox-leases.ts';
import type { Logger } from '../logger.ts';
import { startLoop, type Loop } from './loop.ts';

export interface SweepDeps {
  /** As the relay role. */
  readonly connection: Connection;
  readonly logger: Logger;
  readonly random: () => number;
}

const EVERY_MS = 15_000;
const LATE = '1 minute';
const LIMIT = 500;

/**
 * Looks for what should have happened and did not: a lost timer, a lost signal, a bug. PostgreSQL knows every due instant, so whatever is overdue by a
 * minute is told again, at most one open row each.
 */
export function startSweep(deps: SweepDeps): Loop {
  return startLoop(async () => {
    try {
      const count = await enqueueOverdue(deps.connection.db, LATE, LIMIT);
      if (count > 0) deps.logger.warn({ event: 'sweep_found', count });
    } catch (error) {
      deps.logger.warn({ event: 'sweep_failed', err: error });
    }
    // Several workers sweep: they drift apart.
    return EVERY_MS * (0.75 + deps.random() / 2);
  });
}
