import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createTemporalNamespace, dropDatabase, provisionDatabase, type StackUrls } from '../stack/index.mjs';
import { createConnection } from '../../src/db/connection.ts';
import { runToEnd, startProcess, type RunningProcess } from './process.ts';
import { drawSecrets } from './secrets.ts';
import { seedDatabase, seedSandbox } from './seed.ts';

export type Role = 'api' | 'worker' | 'notifier';

/** The whole product on the local servers, with a database, a Temporal namespace and queues of its own. */
export interface LocalSystem {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly namespace: string;
  readonly queuePrefix: string;
  readonly databaseUrls: { readonly ownerUrl: string; readonly appUrl: string; readonly relayUrl: string };
  readonly env: Readonly<Record<string, string>>;
  /** The folder with everything each role printed. */
  readonly logs: string;
  readonly role: (role: Role) => RunningProcess;
  /** Ends the role with the signal, if it still runs, and starts it again. */
  readonly restart: (role: Role, signal?: NodeJS.Signals) => Promise<void>;
  readonly stopRole: (role: Role, signal?: NodeJS.Signals) => Promise<void>;
  readonly startRole: (role: Role) => Promise<void>;
  /** Runs one of the commands to its end. @throws Error with its last lines when it fails */
  readonly run: (command: 'migrate' | 'rebuild') => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface LocalSystemOptions {
  readonly root: string;
  readonly urls: StackUrls;
  /** Names the database, the namespace and the queues; one in use is replaced. */
  readonly name: string;
  /** Wanted ports; a taken one is replaced by a free one. */
  readonly apiPort?: number;
  readonly sandboxPort?: number;
  readonly log?: (line: string) => void;
  /** Says what a role printed. */
  readonly onLine?: (role: string, line: string) => void;
  /** Put over the environment of the roles. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts everything: database, namespace, sandbox, migrations, seed, and the three roles. */
export async function startSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { root, urls, name } = options;
  const began = performance.now();
  const log = (what: string) => options.log?.(`[system +${((performance.now() - began) / 1000).toFixed(2)}s] ${what}`);
  const secrets = drawSecrets();
  const [apiPort, sandboxPort] = [await usablePort(options.apiPort), await usablePort(options.sandboxPort)];
  const apiUrl = `http://127.0.0.1:${apiPort}`;

  const superuserDatabaseUrl = urls.superuserDatabaseUrl;
  await dropDatabase({ superuserDatabaseUrl, name });
  const namespace = `${name.replaceAll('_', '-')}-${randomBytes(3).toString('hex')}`;
  const running = new Map<string, RunningProcess>();
  const logs = join(root, '.local', 'logs', name);
  mkdirSync(logs, { recursive: true });
  const start = async (
    role: string,
    file: string,
    env: Readonly<Record<string, string>>,
    isReady: (line: Readonly<Record<string, unknown>>) => boolean,
  ) => {
    const child = await startProcess({
      root,
      name: role,
      file,
      env,
      isReady,
      onLine: (line) => {
        appendFileSync(join(logs, `${role}.log`), `${line}\n`);
        options.onLine?.(role, line);
      },
    });
    running.set(role, child);
    log(`${role} ready`);
    return child;
  };
  const stopAll = async () => {
    await Promise.all([...running.values()].map((child) => child.stop()));
    running.clear();
    await dropDatabase({ superuserDatabaseUrl, name });
  };

  try {
    const [databaseUrls, sandbox] = await Promise.all([
      provisionDatabase({ superuserDatabaseUrl, name }),
      start(
        'sandbox',
        'sandbox/main.ts',
        {
          ...secrets.shared,
          ...secrets.sandbox,
          SANDBOX_PORT: String(sandboxPort),
          SENDGRID_EVENT_WEBHOOK_URL: `${apiUrl}/api/v1/callbacks/sendgrid/events`,
        },
        (line) => line['ready'] === true,
      ),
      createTemporalNamespace({ address: urls.temporalAddress, name: namespace }),
    ]);
    const sandboxUrl = String(sandbox.ready['url']);
    const queuePrefix = `${name}.`;
    const env: Record<string, string> = {
      ...secrets.shared,
      ...secrets.roles,
      DATABASE_URL: databaseUrls.appUrl,
      DATABASE_OWNER_URL: databaseUrls.ownerUrl,
      DATABASE_RELAY_URL: databaseUrls.relayUrl,
      REDIS_URL: urls.redisUrl,
      AMQP_URL: urls.amqpUrl,
      AMQP_QUEUE_PREFIX: queuePrefix,
      TEMPORAL_ADDRESS: urls.temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
      API_PORT: String(apiPort),
      ADMIN_PORT: '0',
      DRAIN_MS: '0',
      PUBLIC_URL: apiUrl,
      TWILIO_BASE_URL: `${sandboxUrl}/twilio`,
      SENDGRID_BASE_URL: `${sandboxUrl}/sendgrid`,
      LOG_LEVEL: 'info',
      ...options.env,
    };
    const startRole = async (role: Role) => {
      await start(role, `src/main/${role}.ts`, env, (line) => line['event'] === 'ready');
    };
    const run = async (command: 'migrate' | 'rebuild') => {
      await runToEnd({ root, name: command, file: `src/main/${command}.ts`, env });
      log(`${command} done`);
    };

    await run('migrate');
    const owner = createConnection({ url: databaseUrls.ownerUrl, poolSize: 1, name: 'seed' });
    await Promise.all([seedDatabase(owner, sandboxUrl), seedSandbox(sandboxUrl)]).finally(() => owner.close());
    log('three clinics, twelve providers, three hundred patients');
    await Promise.all([startRole('api'), startRole('worker'), startRole('notifier')]);

    const role = (wanted: Role) => {
      const child = running.get(wanted);
      if (child === undefined) throw new Error(`${wanted} does not run`);
      return child;
    };
    const stopRole = async (which: Role, signal: NodeJS.Signals = 'SIGTERM') => {
      await role(which).kill(signal);
      running.delete(which);
    };
    return {
      apiUrl,
      sandboxUrl,
      namespace,
      queuePrefix,
      databaseUrls,
      env,
      logs,
      role,
      stopRole,
      startRole,
      restart: async (which, signal) => {
        await stopRole(which, signal);
        await startRole(which);
      },
      run,
      stop: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** The wanted port if nobody listens on it, else a free one. */
async function usablePort(wanted = 0): Promise<number> {
  const listen = (port: number) =>
    new Promise<number | undefined>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(undefined));
      server.listen({ port, host: '127.0.0.1' }, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
      });
    });
  const port = (await listen(wanted)) ?? (await listen(0));
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}
