import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { findLeaks } from './leaks.ts';

describe('what may not be seen', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is answered byte for byte as what does not exist, and shows nowhere: no clinic or patient learns of another', async () => {
    expect(await findLeaks(database)).toEqual([]);
  });
});

describe('without row-level security', () => {
  /** Findings in a database of its own in which the tables' policies are off. */
  const findingsWithout = async (tables: (database: TestDatabase) => Promise<readonly string[]>) => {
    const bare = await createTestDatabase();
    try {
      for (const table of await tables(bare)) {
        await sql`alter table ${sql.table(table)} disable row level security`.execute(bare.owner.db);
      }
      return await findLeaks(bare);
    } finally {
      await bare.drop();
    }
  };

  it('leaks are found', async () => {
    const found = await findingsWithout(async ({ owner }) =>
      (await owner.db.introspection.getTables()).map(({ name }) => name),
    );
    for (const what of ['GET /appointments/{id} ', 'GET /patients/{id} ', 'shows', 'learns of a visit elsewhere']) {
      expect(found.join('\n')).toContain(what);
    }
  });

  // Of providers and registrations no answer shows anything without a second table, whose policy holds.
  it.each(['appointment', 'clinic', 'notification', 'patient', 'waitlist_entry'])(
    'on %s alone leaks are found',
    async (table) => {
      expect(await findingsWithout(() => Promise.resolve([table]))).not.toEqual([]);
    },
  );
});
