import { loadConfig } from '../config.ts';
import { createConnection } from '../db/connection.ts';
import { enqueueEverythingLive } from '../db/outbox-leases.ts';
import { createLogger } from '../logger.ts';

// For when Temporal's data is lost: every live appointment, open round and running replay is told again, and the workflows start from their rows.
// Safe to repeat, and safe while everything runs.
const config = loadConfig(process.env, ['log', 'databaseRelay']);
const logger = createLogger({ level: config.log.LOG_LEVEL, role: 'rebuild' });
const connection = createConnection({
  url: config.databaseRelay.DATABASE_RELAY_URL,
  poolSize: 1,
  name: 'mediconnect-rebuild',
});
try {
  const count = await enqueueEverythingLive(connection.db);
  logger.info({ event: 'rebuild_enqueued', count });
} finally {
  await connection.close();
}
