import { loadConfig } from '../config.ts';
import { migrate } from '../db/migrate.ts';
import { createTemporalClient } from '../integrations/temporal/client.ts';
import { ensureSchedules } from '../integrations/temporal/schedules.ts';
import { answers, ensureNamespace, ensureSearchAttributes } from '../integrations/temporal/set-up.ts';
import { createLogger } from '../logger.ts';
import { SCHEDULES } from '../workflows/schedules.ts';
import { searchAttributes } from '../workflows/search-attributes.ts';

/** How long Temporal has to answer at all, and how long the whole of its part may take. */
const ANSWER_MS = 10_000;
const SET_UP_MS = 60_000;
/** How long closed workflows can be looked at; PostgreSQL keeps the audit. */
const RETENTION_DAYS = 30;

const config = loadConfig(process.env, ['log', 'databaseOwner', 'temporal']);
const logger = createLogger({ level: config.log.LOG_LEVEL, role: 'migrate' });

const { applied, newer } = await migrate(config.databaseOwner.DATABASE_OWNER_URL, {
  onLockTimeout: (attempt) => logger.warn({ event: 'migration_waits', attempt }, 'a lock is not free: trying again'),
});
if (newer.length > 0) {
  logger.warn({ event: 'schema_is_newer', migrations: newer }, 'a newer release has been here: nothing is changed');
} else {
  logger.info({ event: 'migrated', migrations: applied, count: applied.length });
  await setUpTemporal();
}

/** What is missing in Temporal is made. Without Temporal the release can start all the same: patients book, and the next run makes up for it. */
async function setUpTemporal(): Promise<void> {
  const temporal = createTemporalClient({
    address: config.temporal.TEMPORAL_ADDRESS,
    namespace: config.temporal.TEMPORAL_NAMESPACE,
  });
  try {
    if (!(await answers(temporal, ANSWER_MS))) {
      logger.warn({ event: 'temporal_skipped', dependency: 'temporal' }, 'temporal does not answer: run migrate again');
      return;
    }
    await temporal.client.withDeadline(Date.now() + SET_UP_MS, async () => {
      const isNew = await ensureNamespace(temporal, RETENTION_DAYS);
      const attributes = await ensureSearchAttributes(temporal, Object.values(searchAttributes));
      const schedules = await ensureSchedules(temporal.client, SCHEDULES);
      logger.info({
        event: 'temporal_set_up',
        counts: { namespaces: Number(isNew), attributes: attributes.length, schedules: schedules.length },
      });
    });
  } finally {
    await temporal.close();
  }
}
