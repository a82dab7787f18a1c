import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Db } from './connection.ts';

/** A file of SQL, under its name without the ending. */
export interface SqlFile {
  readonly name: string;
  readonly text: string;
}

/** What a release brings. */
export interface Release {
  /** Roles, extension and the table of what has run; safe to repeat. */
  readonly setup: string;
  /** In their order; each runs once. */
  readonly migrations: readonly SqlFile[];
  /** The functions as they are in this release, one a file, named as its file; replaced at each run. */
  readonly functions: readonly SqlFile[];
}

/** What became of it: the migrations that ran; or those of a newer release that the database already has, and then nothing was changed. */
export interface Migrated {
  readonly applied: readonly string[];
  readonly newer: readonly string[];
}

export interface MigrateOptions {
  /** The SQL of this release unless a test brings its own. */
  readonly release?: Release;
  /** How long a migration waits for a lock, and all the others behind it, before it makes room and tries again. */
  readonly lockTimeoutMs?: number;
  /** How often it tries, a growing while apart. */
  readonly tries?: number;
  /** Told of every try that did not get its lock. */
  readonly onLockTimeout?: (attempt: number) => void;
}

/** How the name of a migration ends that runs outside a transaction, beside everybody else. */
const OUTSIDE = '.concurrently';
const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

/** Reads the SQL beside this module. */
export function releasedSql(): Release {
  return { setup: read('setup.sql'), migrations: filesOf('migrations'), functions: filesOf('functions') };
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

function filesOf(folder: string): SqlFile[] {
  return namesOf(folder).map((name) => ({ name, text: read(`${folder}/${name}.sql`) }));
}

function namesOf(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, import.meta.url))
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/**
 * Brings the database to this release, as its owner, on a connection of its own: statements take as long as they take, but waits for a lock are short, as
 * everybody else queues behind them. Each migration is a transaction, so that no lock outlives the migration that needs it. Safe to repeat, and to run
 * twice at once. On a database that a newer release has migrated it changes nothing.
 */
export async function migrate(ownerUrl: string, options: MigrateOptions = {}): Promise<Migrated> {
  const { release = releasedSql() } = options;
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: 'mediconnect-migrate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  // A lost connection is the failure of the statement under way.
  client.on('error', () => undefined);
  await client.connect();
  try {
    // Said aloud, as the database or the role may have limits of their own.
    await client.query('set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0');
    await takeTurn(client);
    const applied = await appliedMigrations(client);
    const newer = applied.filter((name) => !release.migrations.some((migration) => migration.name === name));
    if (newer.length > 0) return { applied: [], newer };
    const step = (...texts: string[]) => inTransaction(client, texts, options);

    await step(release.setup);
    // What the tables' triggers and policies call has to be there before them. The tables that a function reads are not: it is checked below.
    await step('set local check_function_bodies = off', ...(await missing(client, release.functions)));
    const pending = release.migrations.filter((migration) => !applied.includes(migration.name));
    for (const { name, text } of pending) {
      const record = `insert into migration (name) values (${client.escapeLiteral(name)})`;
      if (name.endsWith(OUTSIDE)) {
        for (const statement of statementsOf(name, text)) await client.query(statement);
        await step(record);
      } else {
        await step(text, record);
      }
    }
    await step(...release.functions.map((each) => each.text));
    return { applied: pending.map((migration) => migration.name), newer: [] };
  } finally {
    await client.end();
  }
}

/** The migrations this release needs and the database does not have: readiness asks. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('migration').select('name').execute();
  return namesOf('migrations').filter((name) => !rows.some((row) => row.name === name));
}

/** One `migrate` at a time. It asks again rather than waits: a statement that waits is what `create index concurrently` of the other would wait for. */
async function takeTurn(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ mine: boolean }>(
      `select pg_try_advisory_lock(hashtextextended('migrate', 0)) as mine`,
    );
    if (rows[0]?.mine === true) return;
    await delay(250);
  }
}

async function appliedMigrations(client: pg.Client): Promise<string[]> {
  const { rows: known } = await client.query<{ there: boolean }>(
    `select to_regclass('migration') is not null as there`,
  );
  if (known[0]?.there !== true) return [];
  const { rows } = await client.query<{ name: string }>('select name from migration order by name');
  return rows.map((row) => row.name);
}

async function missing(client: pg.Client, functions: readonly SqlFile[]): Promise<string[]> {
  const { rows } = await client.query<{ proname: string }>(
    `select proname from pg_proc where pronamespace = 'public'::regnamespace`,
  );
  const there = new Set(rows.map((row) => row.proname));
  return functions.filter((each) => !there.has(each.name)).map((each) => each.text);
}

/** All of it or nothing. Who does not get a lock in time lets everybody pass who waits behind, and tries again. */
async function inTransaction(client: pg.Client, texts: string[], options: MigrateOptions): Promise<void> {
  const { lockTimeoutMs = 3_000, tries = 10 } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query('begin');
      await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
      for (const text of texts) await client.query(text);
      await client.query('commit');
      return;
    } catch (error) {
      await client.query('rollback');
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      if ((code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) || attempt >= tries) throw error;
      options.onLockTimeout?.(attempt);
      await delay(Math.min(lockTimeoutMs * attempt, 15_000));
    }
  }
}

/**
 * The statements of a migration outside a transaction, sent one by one, as several at once would be a transaction. They wait for locks as long as it takes:
 * what belongs here (`create index concurrently`, `validate constraint`) waits without holding up anybody.
 */
function statementsOf(name: string, text: string): string[] {
  if (text.includes('$$')) throw new Error(`${name}: a body in $$ cannot be told from statements`);
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replaceAll(/--.*$/gm, '').trim() !== '');
}
