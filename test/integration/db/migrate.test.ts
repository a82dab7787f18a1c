import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { schemaDump } from '../../../scripts/build/schema.ts';
import { migrate, pendingMigrations, releasedSql, type MigrateOptions, type SqlFile } from '../../../src/db/migrate.ts';
import { aClinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const TRIES_FOR_EVER = 1_000;

describe('migrate', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  /** The release after this one. */
  const next = (migrations: readonly SqlFile[], options: MigrateOptions = {}, functions: readonly SqlFile[] = []) => {
    const released = releasedSql();
    const release = {
      ...released,
      migrations: [...released.migrations, ...migrations],
      functions: [
        ...released.functions.filter((each) => !functions.some(({ name }) => name === each.name)),
        ...functions,
      ],
    };
    return migrate(database.urls.ownerUrl, { ...options, release });
  };
  const file = (name: string, content: string): SqlFile => ({ name, text: content });

  it('keeps no lock of one migration while the next one runs', async () => {
    const holder = await database.owner.pool.connect();
    await holder.query('select pg_advisory_lock(1)');
    const migrating = next(
      [file('8001', 'alter table clinic add column motto text'), file('8002', 'select pg_advisory_xact_lock(1)')],
      { lockTimeoutMs: 60_000 },
    );
    await eventually(async () => {
      const { rows } = await sql`select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`.execute(database.relay.db);
      expect(rows).toHaveLength(1);
    });
    await database.app.db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = 1`.execute(tx);
      await sql`select motto from clinic`.execute(tx);
    });
    await holder.query('select pg_advisory_unlock_all()');
    holder.release();
    expect((await migrating).applied).toEqual(['8001', '8002']);
  });

  it('lets a migration take as long as it takes, whatever limit the database has', async () => {
    await sql`do $$ begin execute format('alter database %I set statement_timeout = 50', current_database()); end $$`.execute(
      database.owner.db,
    );
    await next([file('8001', 'select pg_sleep(0.2)')]);
  });

  it('makes room for everybody who queues behind it when it does not get a lock, and tries again', async () => {
    const reader = await database.app.pool.connect();
    await reader.query('begin; select from clinic');
    const attempts: number[] = [];
    await next([file('8001', 'alter table clinic add column motto text')], {
      lockTimeoutMs: 20,
      tries: TRIES_FOR_EVER,
      onLockTimeout: (attempt) => {
        attempts.push(attempt);
        if (attempt === 2) void reader.query('commit');
      },
    });
    reader.release();
    expect(attempts.slice(0, 2)).toEqual([1, 2]);
    await sql`select motto from clinic`.execute(database.owner.db);
  });

  it('gives up after its tries, and nothing of that migration is left', async () => {
    const reader = await database.app.pool.connect();
    await reader.query('begin; select from clinic');
    await expect(
      next([file('8001', 'create table motto (); alter table clinic add column motto text')], {
        lockTimeoutMs: 20,
        tries: 2,
      }),
    ).rejects.toMatchObject({ code: '55P03' });
    await reader.query('commit');
    reader.release();
    const { rows } = await sql`select to_regclass('motto') as motto`.execute(database.owner.db);
    expect(rows).toEqual([{ motto: null }]);
  });

  it('runs one that is named so outside a transaction statement by statement, and again after it has failed', async () => {
    const [one, two] = [await aClinic(database.owner), await aClinic(database.owner)];
    const concurrently = file(
      '8001.concurrently',
      `-- One that failed stays, as invalid; so it goes first.
       drop index concurrently if exists clinic_name;
       create unique index concurrently clinic_name on clinic (name);
       alter table clinic validate constraint clinic_has_name;`,
    );
    const release = [
      file('8000', `alter table clinic add constraint clinic_has_name check (name <> '') not valid`),
      concurrently,
    ];
    const rename = (clinicId: string, name: string) =>
      database.owner.db.updateTable('clinic').set({ name }).where('clinic_id', '=', clinicId).execute();
    await rename(one.clinicId, 'Same');
    await rename(two.clinicId, 'Same');
    await expect(next(release)).rejects.toMatchObject({ code: '23505' });
    await rename(two.clinicId, 'Another');
    expect((await next(release)).applied).toEqual(['8001.concurrently']);
    const { rows } =
      await sql`select indisvalid, (select convalidated from pg_constraint where conname = 'clinic_has_name')
      from pg_index where indexrelid = 'clinic_name'::regclass`.execute(database.owner.db);
    expect(rows).toEqual([{ indisvalid: true, convalidated: true }]);
  });

  it('is done once when it is run twice at the same time, also where one waits until nobody else runs a statement', async () => {
    const release = [
      file('8001.concurrently', 'create index concurrently if not exists clinic_name on clinic (name);'),
    ];
    const both = await Promise.all([next(release), next(release)]);
    expect(both.flatMap(({ applied }) => applied)).toEqual(['8001.concurrently']);
  });

  it('makes functions before the tables that call them, and replaces those that have changed', async () => {
    const answering = (answer: number) =>
      file(
        'motto_of_clinic',
        `create or replace function motto_of_clinic() returns integer language sql stable as $$ select ${answer} from motto limit 1 $$;`,
      );
    const release = [
      file(
        '8001',
        'create table motto (motto integer check (motto_of_clinic() is null)); insert into motto values (1)',
      ),
    ];
    await next(release, {}, [answering(1)]);
    expect((await next(release, {}, [answering(2)])).applied).toEqual([]);
    const { rows } = await sql`select motto_of_clinic() as answer`.execute(database.owner.db);
    expect(rows).toEqual([{ answer: 2 }]);
  });

  it('changes nothing on a database of a newer release, and says so', async () => {
    const newer = file(
      'current_clinic',
      `create or replace function current_clinic() returns uuid language sql stable parallel safe as $$ select null::uuid $$;`,
    );
    await next([file('8001', 'create table motto ()')], {}, [newer]);
    const source = async () =>
      (await sql`select prosrc from pg_proc where proname = 'current_clinic'`.execute(database.owner.db)).rows;
    const before = [await schemaDump(database.owner.db), await source()];
    expect(await migrate(database.urls.ownerUrl)).toEqual({ applied: [], newer: ['8001'] });
    // The command, which leaves Temporal alone too: nobody listens there.
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main/migrate.ts'], {
      env: { PATH: process.env['PATH'], DATABASE_OWNER_URL: database.urls.ownerUrl, TEMPORAL_ADDRESS: '127.0.0.1:1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const output = await text(child.stdout);
    expect(await ended).toBe(0);
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event),
    ).toEqual(['schema_is_newer']);
    expect([await schemaDump(database.owner.db), await source()]).toEqual(before);
    expect(await pendingMigrations(database.app.db)).toEqual([]);
  });
});
