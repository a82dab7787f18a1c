import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { exceptions, findLeaks, probesOf } from './leaks.ts';
import { ALL_OPERATIONS, namingsOf, operationsOf } from './operations.ts';

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

describe('every operation that names a row', () => {
  it('is probed with a row of somebody else, in every field that can name one', () => {
    expect(probesOf(ALL_OPERATIONS).unprobed).toEqual([]);
  });

  it('exists, where an exception is made for it', () => {
    const known = ALL_OPERATIONS.flatMap((cell) => namingsOf(cell).map(({ field }) => `${cell.name} ${field}`));
    expect(known).toEqual(expect.arrayContaining(exceptions()));
  });

  it('is missed when nobody has said what to send, or there is no such thing', () => {
    const path = { in: 'path', name: 'clinicId', schema: { type: 'string', format: 'uuid' } };
    const letter = { in: 'path', name: 'letter', schema: { type: 'string' } };
    const sender = { in: 'query', name: 'sender', schema: { type: 'string', format: 'uuid' } };
    const date = { in: 'path', name: 'date', schema: { type: 'string', format: 'date' } };
    const properties = { patientId: { type: 'string' }, copies: { type: 'integer' } };
    const requestBody = { content: { 'application/json': { schema: { oneOf: [{ type: 'object', properties }] } } } };
    const may = { 'x-authorization': { scopes: [], roles: {} } };
    const operations = operationsOf({
      paths: {
        '/letters': {
          get: { operationId: 'listLetters', parameters: [sender], ...may },
          post: { operationId: 'writeLetter', requestBody, ...may },
        },
        '/letters/{letter}/{date}': { get: { operationId: 'readLetter', parameters: [letter, date], ...may } },
        '/clinics/{clinicId}/letters': { get: { operationId: 'listLettersOfClinic', parameters: [path] } },
      },
    });
    expect(probesOf(operations).unprobed).toEqual([
      'listLetters sender: there is no such thing in THINGS',
      'writeLetter patientId: FIXTURES do not say what to send',
      'readLetter letter: there is no such thing in THINGS',
      'listLettersOfClinic clinicId: no caller is asked for',
    ]);
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
    for (const what of ['readAppointment', 'readPatient', 'shows', 'learns of a visit elsewhere']) {
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
