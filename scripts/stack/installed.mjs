// Which of the servers are installed on this machine, new enough to use.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { answerOf, findPrograms } from './commands.mjs';
import { MINIMUM_VERSIONS } from './settings.mjs';
import { findVersion, isAtLeast } from './versions.mjs';

/** The Debian package of each server that has one. */
export const DEBIAN_PACKAGES = { postgres: 'postgresql', redis: 'redis-server', rabbitmq: 'rabbitmq-server' };

/**
 * @param {string} folder
 * @returns {string[]}
 */
const list = (folder) => (existsSync(folder) ? readdirSync(folder) : []);

/**
 * The folder with `postgres` and `initdb`: PostgreSQL 15 if it is there, else the newest.
 * @returns {string | undefined}
 */
export function findPostgres() {
  const folders = [
    ...list('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...list('/usr')
      .filter((name) => name.startsWith('pgsql-'))
      .map((name) => `/usr/${name}/bin`),
  ];
  const found = findPrograms('postgres', folders)
    .map((program) => ({
      folder: path.dirname(realpathSync(program)),
      version: findVersion(answerOf(program, ['--version']) ?? ''),
    }))
    .filter(
      ({ folder, version }) => isAtLeast(version, MINIMUM_VERSIONS.postgres) && existsSync(path.join(folder, 'initdb')),
    );
  const major = (/** @type {string | undefined} */ version) => Number.parseInt(version ?? '0', 10);
  const preferred = found.find(({ version }) => major(version) === Number(MINIMUM_VERSIONS.postgres));
  return (preferred ?? found.sort((a, b) => major(b.version) - major(a.version))[0])?.folder;
}

/** @returns {string | undefined} */
export function findRedis() {
  return findPrograms('redis-server').find((program) =>
    isAtLeast(findVersion(answerOf(program, ['--version']) ?? ''), MINIMUM_VERSIONS.redis),
  );
}

const RABBITMQ_HOME = '/usr/lib/rabbitmq';

/**
 * RabbitMQ's own server script and Erlang's port mapper. The script in the package's folder, not the one in sbin, which forces the
 * system's paths and user.
 * @returns {{ server: string, epmd: string } | undefined}
 */
export function findRabbitmq() {
  const version = list(`${RABBITMQ_HOME}/lib`)
    .map((name) => /^rabbitmq_server-(.+)$/.exec(name)?.[1])
    .find(Boolean);
  const server = `${RABBITMQ_HOME}/bin/rabbitmq-server`;
  const epmd = findPrograms('epmd')[0];
  return epmd && existsSync(server) && isAtLeast(version, MINIMUM_VERSIONS.rabbitmq) ? { server, epmd } : undefined;
}

/**
 * The Debian packages still missing for these servers.
 * @param {readonly import('./settings.mjs').ServerName[]} servers
 * @returns {string[]}
 */
export function missingPackages(servers) {
  const found = { postgres: findPostgres, redis: findRedis, rabbitmq: findRabbitmq };
  return servers.flatMap((name) => (name === 'temporal' || found[name]() ? [] : [DEBIAN_PACKAGES[name]]));
}
