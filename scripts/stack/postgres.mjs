import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild, untilReady } from './children.mjs';
import { answerOf, lastLines, run } from './commands.mjs';
import { findPostgres } from './installed.mjs';
import { HOST, postgresAddresses } from './addresses.mjs';
import { createServerHandle, takePlace } from './server.mjs';
import { createPrivateFolder, serviceUser, writePrivateFile } from './service-users.mjs';
import { POSTGRES_SUPERUSER } from './settings.mjs';
import { StackError } from './stack-error.mjs';
import { findVersion } from './versions.mjs';

const DURABLE = { shared_buffers: '256MB', wal_level: 'replica' };
// For tests: nothing is forced to the disk, so a crash of the machine (not of the server) may lose it.
const VOLATILE = {
  shared_buffers: '128MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
};

/**
 * Starts a private PostgreSQL.
 * @param {import('./server.mjs').ServerOptions} [options]
 */
export async function startPostgres(options = {}) {
  const binaries = findPostgres();
  if (!binaries) throw new StackError('PostgreSQL 15 or newer is not installed here.');
  const place = await takePlace('postgres', options);
  const { directory, ports, secret } = place;
  const user = serviceUser('postgres');
  const data = path.join(createPrivateFolder(path.join(directory, 'data'), user), 'cluster');
  const settings = {
    listen_addresses: HOST,
    port: String(ports.postgres),
    unix_socket_directories: '',
    max_connections: '300',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.durable === false ? VOLATILE : DURABLE),
  };

  const launch = async () => {
    await createCluster({ binaries, data, user, password: secret });
    // After a kill its child processes need a moment to notice, and until then the server refuses to start.
    for (let attempt = 1; ; attempt++) {
      const child = startChild({
        name: 'postgres',
        directory,
        program: path.join(binaries, 'postgres'),
        args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        cwd: '/',
        user,
        stopSignal: 'SIGINT',
        onUnexpectedExit: options.onUnexpectedExit,
      });
      try {
        await untilReady(child, () => isReady(data, child.pid), { timeoutMs: 60_000 });
        return child;
      } catch (error) {
        if (attempt >= 20 || !child.lastOutput().includes('is still in use')) throw error;
        await delay(250);
      }
    }
  };
  return createServerHandle({ name: 'postgres', addresses: postgresAddresses(ports, secret), launch, place });
}

/**
 * Whether the server with this pid accepts connections. Asked of the file it keeps in its data folder (the pid on the first line, its state on
 * the eighth), never of the port, where another server might answer.
 * @param {string} data
 * @param {number} pid
 */
function isReady(data, pid) {
  const lines = readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/**
 * Creates the data folder under another name first, so that an interrupted attempt never counts.
 * @param {{ binaries: string, data: string, user: import('./service-users.mjs').ServiceUser | undefined, password: string }} cluster
 */
async function createCluster({ binaries, data, user, password }) {
  if (existsSync(data)) {
    const made = readFileSync(path.join(data, 'PG_VERSION'), 'utf8').trim();
    const has = String(
      Number.parseInt(findVersion(answerOf(path.join(binaries, 'postgres'), ['--version']) ?? '') ?? '', 10),
    );
    if (made === has) return;
    throw new StackError(
      `The data is PostgreSQL ${made}'s and ${has} is installed; "npm run stack -- reset" starts afresh.`,
    );
  }
  const unfinished = `${data}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(path.dirname(data), { recursive: true });
  const passwordFile = writePrivateFile(`${data}.password`, `${password}\n`, user);
  const drop = user ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--init-groups'] : [];
  const initdb = [path.join(binaries, 'initdb'), '-D', unfinished, '-U', POSTGRES_SUPERUSER, '--pwfile', passwordFile];
  const options = ['-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C.UTF-8', '--data-checksums', '--no-sync'];
  const result = await run('setpriv', ['--pdeathsig', 'KILL', ...drop, '--', ...initdb, ...options]);
  rmSync(passwordFile, { force: true });
  if (result.status !== 0)
    throw new StackError(`PostgreSQL's data folder could not be created:\n${lastLines(result.output)}`);
  renameSync(unfinished, data);
}
