import { loadConfig } from '../config.ts';
import { createConnection } from '../db/connection.ts';
import { enqueueLive } from '../db/rebuild.ts';
import { createLogger } from '../logger.ts';

const PAGE = 5_000;

// For when Temporal's data is lost: every live appointment, open round, replay and sick day is told again, and the workflows start from their rows.
// Safe to repeat, to stop half-way, and while everything runs.
const config = loadConfig(process.env, ['log', 'databaseRelay']);
const logger = createLogger({ level: config.log.LOG_LEVEL, role: 'rebuild' });
const connection = createConnection({
  url: config.databaseRelay.DATABASE_RELAY_URL,
  poolSize: 1,
  name: 'mediconnect-rebuild',
  unhurried: true,
});
try {
  const counts: Record<string, number> = {};
  let count = 0;
  for await (const { what, told } of enqueueLive(connection.db, PAGE)) {
    counts[what] = (counts[what] ?? 0) + told;
    count += told;
    logger.info({ event: 'rebuild_page', counts });
  }
  logger.info({ event: 'rebuild_enqueued', count, counts });
} finally {
  await connection.close();
}
