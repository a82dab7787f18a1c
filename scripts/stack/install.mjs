// What this machine has and may install.
import { DEBIAN_PACKAGES, findPostgres, findRabbitmq, findRedis, missingPackages } from './installed.mjs';
import { composeIsAvailable } from './compose.mjs';
import { installPackages, mayInstallPackages } from './packages.mjs';
import { createLog, silent } from './progress.mjs';
import { SERVERS } from './settings.mjs';
import { adviceFor, chooseSource, givenAddresses } from './sources.mjs';
import { StackError } from './stack-error.mjs';
import { canHaveTemporalCli, ensureTemporalCli, findTemporalCli } from './temporal-cli.mjs';

/** @typedef {import('./settings.mjs').ServerName} ServerName */

/** @returns {import('./sources.mjs').Machine} */
export function thisMachine() {
  const find = { postgres: findPostgres, redis: findRedis, rabbitmq: findRabbitmq, temporal: findTemporalCli };
  return {
    canRunPrivately: process.platform === 'linux',
    isInstalled: (server) => find[server]() !== undefined,
    hasCompose: onceOnly(composeIsAvailable),
    canInstall: (server) =>
      server === 'temporal' ? canHaveTemporalCli() : server in DEBIAN_PACKAGES && mayInstallPackages(),
  };
}

/**
 * @template T
 * @param {() => T} compute
 * @returns {() => T}
 */
function onceOnly(compute) {
  /** @type {{ value: T } | undefined} */
  let known;
  return () => (known ??= { value: compute() }).value;
}

/** @type {Promise<void> | undefined} */
let installing;

/**
 * Installs one server; the packages of all that are missing come in one go, because apt does one thing at a time.
 * @param {ServerName} server
 * @param {readonly ServerName[]} missing
 * @param {import('./progress.mjs').Log} log
 */
export async function ensureServer(server, missing, log) {
  if (server === 'temporal') {
    await ensureTemporalCli(log);
    return;
  }
  installing ??= installPackages(missingPackages(missing), log);
  await installing;
}

/**
 * Makes sure that every server not given by address can be started, installing what is missing.
 * @param {{ quiet?: boolean, log?: import('./progress.mjs').Log }} [options]
 * @throws {StackError} saying what to install when this may not
 */
export async function ensureInstalled(options = {}) {
  const log = options.quiet ? silent : (options.log ?? createLog());
  const given = givenAddresses(process.env);
  const machine = thisMachine();
  const sources = SERVERS.map((server) => ({
    server,
    source: chooseSource(server, { isAddressGiven: given[server] !== undefined, machine }),
  }));
  const unavailable = sources.filter(({ source }) => source === undefined).map(({ server }) => server);
  if (unavailable.length > 0) throw new StackError(adviceFor(unavailable, machine.canRunPrivately));
  const missing = sources.filter(({ source }) => source === 'install').map(({ server }) => server);
  await Promise.all(missing.map((server) => ensureServer(server, missing, log)));
}
