import { randomUUID } from 'node:crypto';
import { dropDatabase, provisionDatabase } from '../../scripts/stack/index.mjs';
import { createConnection, type Connection } from '../../src/db/connection.ts';
import { required, testServers } from './servers.ts';

/** A migrated database of the test file's own. */
export interface TestDatabase {
  /** As the owner: sees and writes everything; for arranging and asserting. */
  readonly owner: Connection;
  /** As the application role: what the product uses. */
  readonly app: Connection;
  /** As the relay role. */
  readonly relay: Connection;
  readonly urls: { readonly ownerUrl: string; readonly appUrl: string; readonly relayUrl: string };
  readonly drop: () => Promise<void>;
}

/** Copies the migrated template (about 50 ms). Call `drop` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { superuserDatabaseUrl } = testServers();
  const name = `mediconnect_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const urls = await provisionDatabase({ superuserDatabaseUrl, name, template: required('TEST_TEMPLATE_DATABASE') });
  // Connections that lose their database at the end are no failure of the test.
  const onError = () => undefined;
  const owner = createConnection({ url: urls.ownerUrl, poolSize: 4, name: 'test-owner', onError });
  const app = createConnection({ url: urls.appUrl, poolSize: 10, name: 'test-app', onError });
  const relay = createConnection({ url: urls.relayUrl, poolSize: 4, name: 'test-relay', onError });
  return {
    owner,
    app,
    relay,
    urls,
    drop: async () => {
      await Promise.all([owner.close(), app.close(), relay.close()]);
      await dropDatabase({ superuserDatabaseUrl, name });
    },
  };
}
