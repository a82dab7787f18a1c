import { randomUUID } from 'node:crypto';
import { dropDatabase, provisionDatabase } from '../../scripts/stack/index.mjs';
import { migrate } from '../../src/db/migrate.ts';
import { testServers } from './servers.ts';

/** Migrates one template database; every test file copies it (test/support/database.ts). */
export default async function globalSetup(): Promise<() => Promise<void>> {
  const { superuserDatabaseUrl } = testServers();
  const name = `mediconnect_template_${randomUUID().slice(0, 8)}`;
  const { ownerUrl } = await provisionDatabase({ superuserDatabaseUrl, name });
  await migrate(ownerUrl);
  process.env['TEST_TEMPLATE_DATABASE'] = name;
  return () => dropDatabase({ superuserDatabaseUrl, name });
}
