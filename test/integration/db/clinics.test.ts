import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('add-clinic', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  async function run(...args: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main/add-clinic.ts', ...args], {
      env: { ...process.env, DATABASE_OWNER_URL: database.urls.ownerUrl },
    });
    const [out, problem] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { code: child.exitCode, out, problem };
  }
  const clinics = () => database.owner.db.selectFrom('clinic').select(['clinic_id', 'name', 'slug']).execute();

  it('adds a clinic once and says its id, and refuses what cannot be one with a sentence', async () => {
    const riverside = ['--name', 'Riverside Clinic', '--slug', 'riverside', '--time-zone', 'Europe/Berlin'];
    const added = await run(...riverside);
    expect([added.code, added.problem]).toEqual([0, '']);
    const [row] = await clinics();
    expect(row).toMatchObject({ name: 'Riverside Clinic', slug: 'riverside' });
    expect(JSON.parse(added.out)).toMatchObject({ event: 'clinic_added', clinicId: row?.clinic_id });

    for (const [args, sentence] of [
      [riverside, 'There is a clinic with the slug riverside already'],
      [['--name', 'x', '--slug', 'A b', '--time-zone', 'Europe/Berlin'], '--slug'],
      [['--name', 'x', '--slug', 'x', '--time-zone', 'Mars/Olympus'], '--time-zone'],
      [['--nonsense'], 'Usage'],
    ] as const) {
      const refused = await run(...args);
      expect([refused.code, refused.problem]).toEqual([2, expect.stringContaining(sentence)]);
    }
    expect(await clinics()).toHaveLength(1);
  });
});
