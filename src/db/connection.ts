import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { AppError } from '../domain/errors.ts';
import { constraintError, isRetryable } from './constraint-errors.ts';
import type { Database } from './schema.ts';

/** The database with no row-level security context: only the look-ups of `look-ups.ts` answer. Use {@link inContext} for rows. */
export type Db = Kysely<Database>;
/** A transaction in which the row-level security context is set. */
export type Tx = Transaction<Database>;

/** Whose rows a transaction sees: a clinic's, a patient's own, or both; `caller` opens the caller's idempotency keys. */
export interface RowContext {
  readonly clinicId?: string;
  readonly patientId?: string;
  readonly caller?: string | undefined;
}

export interface ConnectionOptions {
  readonly url: string;
  /** Connections at most; the specification allows 20 per instance. */
  readonly poolSize: number;
  /** Shown in `pg_stat_activity`. */
  readonly name: string;
  readonly onError?: (error: Error) => void;
  /** For an operator's command: statements may take as long as they take. */
  readonly unhurried?: boolean | undefined;
}

// `date` and `time` are wall-clock facts: they stay text and never become a Date in this process's zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** One pool, and Kysely over it. */
export interface Connection {
  readonly db: Db;
  readonly pool: pg.Pool;
  readonly close: () => Promise<void>;
}

/** Opens the pool. Statements are stopped after 10 s (not in an `unhurried` one), waits for locks after 5 s, idle transactions after 15 s. */
export function createConnection(options: ConnectionOptions): Connection {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.name,
    connectionTimeoutMillis: 5_000,
    ...(options.unhurried === true ? {} : { statement_timeout: 10_000, query_timeout: 15_000 }),
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 15_000,
    keepAlive: true,
  });
  // The pool itself listens only while a connection is idle: one that dies while it is in use would end the process.
  pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)));
  pool.on('error', () => undefined);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const close = async () => {
    await db.destroy();
    // Kysely ends only a pool that it has used.
    if (!pool.ended) await pool.end();
  };
  return { db, pool, close };
}

/**
 * Runs `work` in one transaction that sees only the context's rows. Deadlocks and serialization failures are retried at most three times,
 * then `temporarily_unavailable`; constraint violations become their {@link AppError}; a lost database is `database_unavailable`.
 */
export async function inContext<T>(db: Db, context: RowContext, work: (tx: Tx) => Promise<T>): Promise<T> {
  const begin = sql.raw<never>(`begin; ${settingsOf(context)}`);
  return translated(() =>
    db.connection().execute(async (connection) => {
      // Not `db.transaction()`: the context would be a round trip of its own.
      await begin.execute(connection);
      let result: T;
      try {
        // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- a Transaction can do no more than this connection in one
        result = await work(connection as Tx);
        await sql`commit`.execute(connection);
      } catch (error) {
        // A connection that is lost has rolled back already.
        await sql`rollback`.execute(connection).catch(() => undefined);
        throw error;
      }
      return result;
    }),
  );
}

function settingsOf({ clinicId, patientId, caller }: RowContext): string {
  const set = (name: string, value = '') => `set_config('app.${name}', ${pg.escapeLiteral(value)}, true)`;
  return `select ${[set('clinic_id', clinicId), set('patient_id', patientId), set('caller', caller)].join(', ')}`;
}

/** Retries what may be retried and translates what PostgreSQL says into our codes. */
export async function translated<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetryable(error)) throw constraintError(error);
      if (tries >= 3) throw new AppError('temporarily_unavailable', {}, { cause: error });
    }
  }
}

/** A statement prepared under its name: PostgreSQL parses and plans it once a connection. */
export async function queryNamed<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statement: { readonly name: string; readonly text: string },
  values: unknown[],
): Promise<Row[]> {
  return translated(async () => (await pool.query<Row>({ ...statement, values })).rows);
}

/** Gives the transaction up so that {@link inContext} runs it again: what was read before locking has changed. */
export function retryTransaction(): never {
  throw Object.assign(new Error('changed while locking'), { code: '40001' });
}
