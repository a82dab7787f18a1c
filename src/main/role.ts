import { createServer, type Server } from 'node:http';
import { createReadiness, type Checks, type Readiness } from '../api/health/readiness.ts';
import { loadConfig, type Concern, type Config } from '../config.ts';
import { createConnection, type Connection } from '../db/connection.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { createLogger, type Logger } from '../logger.ts';

/** After this the process stops, whatever is still open. Milliseconds. */
const STOP_MS = 30_000;

/** What every role has; its file wires the rest. */
export interface Role<C extends Concern> {
  readonly config: Config<C | 'log' | 'admin' | 'database'>;
  readonly logger: Logger;
  /** The application role's connection. */
  readonly connection: Connection;
  /** Says that the connection to a dependency was lost. */
  readonly onLost: (dependency: string) => (error: Error) => void;
  /** May work be sent here? `reported` is told and does not count. */
  readonly readinessWith: (reported: Checks['reported']) => Readiness;
  /** The role runs: opens its admin port, and stops it when the process is told to. */
  readonly run: (running: Running) => Promise<void>;
}

export interface Running {
  readonly readiness?: Readiness;
  /** Resolves when the role does its work; the process can be stopped before. */
  readonly working?: Promise<unknown>;
  readonly port?: number | undefined;
  /** Between "not ready" and closing, so that a load balancer has looked. Milliseconds. */
  readonly drainMs?: number;
  /** Closes the role's parts in reverse order of the start; the frame closes its own after them. */
  readonly stop: () => Promise<unknown>;
}

/**
 * The frame of a long-running process: configuration, log, the database, the admin port with `/livez` and `/readyz`, and an ordered end on SIGTERM: not
 * ready first, then no new work, then what is open.
 */
export function createRole<C extends Concern>(role: string, concerns: readonly C[]): Role<C> {
  const config = loadConfig<C | 'log' | 'admin' | 'database'>(process.env, ['log', 'admin', 'database', ...concerns]);
  const { log, admin, database }: Config<'log' | 'admin' | 'database'> = config;
  const logger = createLogger({ level: log.LOG_LEVEL, role });
  const onLost = (dependency: string) => (error: Error) => logger.warn({ err: error, dependency }, 'connection lost');
  const connect = (poolSize: number, name: string) =>
    createConnection({ url: database.DATABASE_URL, poolSize, name, onError: onLost('postgresql') });
  const connection = connect(database.DATABASE_POOL_SIZE, `mediconnect-${role}`);
  const probe = connect(1, `mediconnect-${role}-probe`);
  let draining = false;
  const readinessWith = (reported: Checks['reported']) =>
    createReadiness({
      isDraining: () => draining,
      isDatabaseUp: async () => (await probe.pool.query('select 1')).rowCount === 1,
      pendingMigrations: () => pendingMigrations(probe.db),
      reported,
    });

  const run = async ({ readiness = readinessWith({}), working, port, drainMs = 0, stop }: Running): Promise<void> => {
    const server = createAdminServer(readiness);
    const adminPort = await listen(server, admin.ADMIN_HOST, admin.ADMIN_PORT);
    const end = async (signal: string) => {
      if (draining) return;
      draining = true;
      logger.info({ event: 'stopping', signal });
      setTimeout(() => process.exit(1), drainMs + STOP_MS).unref();
      await new Promise((resolve) => setTimeout(resolve, drainMs));
      await stop();
      await connection.close();
      await probe.close();
      server.close();
      server.closeAllConnections();
      logger.info({ event: 'stopped' });
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(signal));
    // Not awaited: what it waits for may be away, and a signal to stop must still end the process.
    void Promise.resolve(working).then(() => logger.info({ event: 'ready', port, adminPort }));
  };
  return { config, logger, connection, onLost, readinessWith, run };
}

/** For orchestrators and balancers, never public: no token, no limit, nothing about anybody. */
function createAdminServer(readiness: Readiness): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    const answer = (status: number, body: object) =>
      response
        .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
        .end(JSON.stringify(body));
    if (request.method !== 'GET') answer(405, { status: 'method_not_allowed' });
    else if (request.url === '/livez') answer(200, { status: 'alive' });
    else if (request.url === '/readyz')
      void readiness().then((report) => answer(report.status === 'ready' ? 200 : 503, report));
    else answer(404, { status: 'not_found' });
  });
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
