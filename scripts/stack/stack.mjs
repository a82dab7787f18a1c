// The four servers together: one development stack per clone, and any number of test stacks that leave nothing behind.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startWithCompose } from './compose.mjs';
import { answerOthers, askRunningStack } from './control.mjs';
import { stopLeftovers } from './children.mjs';
import { chooseFolder, clearDeadRuns, createRunFolder, openFolder, secretOf } from './folders.mjs';
import { ensureServer, thisMachine } from './install.mjs';
import { takeLock } from './lock.mjs';
import { portBase, takeFixedPorts, takePortBlock } from './ports.mjs';
import { startPostgres } from './postgres.mjs';
import { createLog, silent } from './progress.mjs';
import { startRabbitmq } from './rabbitmq.mjs';
import { startRedis } from './redis.mjs';
import { SERVERS } from './settings.mjs';
import { adviceFor, chooseSource, givenAddresses } from './sources.mjs';
import { StackError } from './stack-error.mjs';
import { startTemporal } from './temporal.mjs';

/** @typedef {import('./settings.mjs').ServerName} ServerName */
/** @typedef {import('./index.d.mts').Stack} Stack */
/** @typedef {import('./index.d.mts').StackUrls} StackUrls */
/** @typedef {import('./index.d.mts').StackOptions} StackOptions */

const START_TIMEOUT_MS = 30 * 60_000;

const START = { postgres: startPostgres, redis: startRedis, rabbitmq: startRabbitmq, temporal: startTemporal };

/**
 * Starts the four servers, or attaches to the ones that another process of this clone runs.
 * @param {StackOptions} options
 * @returns {Promise<Stack>}
 */
export async function startStack(options) {
  const log = options.quiet ? silent : (options.log ?? createLog());
  const folder = openFolder(chooseFolder(options.root));
  return options.ephemeral ? startTestStack(folder, options, log) : startDevelopmentStack(folder, options, log);
}

/**
 * @param {string} folder
 * @param {StackOptions} options
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<Stack>}
 */
async function startTestStack(folder, options, log) {
  await clearDeadRuns(folder, log);
  const directory = createRunFolder(folder);
  const block = await takePortBlock();
  const cleanUp = () => {
    block.release();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const servers = await startServers({ directory, ports: block.ports, options, log });
    return { urls: servers.urls, owned: true, stop: once(async () => (await servers.stop(), cleanUp())) };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

/**
 * @param {string} folder
 * @param {StackOptions} options
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<Stack>}
 */
async function startDevelopmentStack(folder, options, log) {
  const release = await takeLock(path.join(folder, 'lock'), { waitSeconds: 0 });
  if (!release) return attach(folder, log);

  /** @type {import('./control.mjs').StackState} */
  let state = { pid: process.pid, state: 'starting' };
  /** @type {() => Promise<void>} */
  let stop = async () => {};
  const stopAnswering = await answerOthers(folder, {
    state: () => state,
    onDown: () => (options.onDown ? options.onDown() : void stop()),
  });
  const cleanUp = () => {
    stopAnswering();
    release();
  };
  try {
    await stopLeftovers(folder, log);
    await clearDeadRuns(folder, log);
    const block = await takeFixedPorts(portBase(process.env), log);
    const servers = await startServers({ directory: folder, ports: block.ports, options, log });
    state = { ...state, state: 'ready', urls: servers.urls };
    stop = once(async () => {
      state = { ...state, state: 'stopping' };
      await servers.stop();
      block.release();
      cleanUp();
    });
    return { urls: servers.urls, owned: true, stop };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

/**
 * @param {string} folder
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<Stack>}
 */
async function attach(folder, log) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  let said = false;
  while (performance.now() < deadline) {
    const other = await askRunningStack(folder, 'status');
    if (other?.state === 'ready' && other.urls) {
      log(`the stack is already running (process ${other.pid})`);
      return { urls: other.urls, owned: false, stop: async () => {} };
    }
    if (other && !said) log(`waiting for process ${other.pid}, which is ${other.state}`);
    said ||= other !== undefined;
    const release = other ? undefined : await takeLock(path.join(folder, 'lock'), { waitSeconds: 0 });
    if (release) {
      release();
      throw new StackError('The process that was running the stack has just ended. Please start again.');
    }
    await delay(100);
  }
  throw new StackError('Another process holds the stack and does not answer.');
}

/**
 * @param {{ directory: string, ports: import('./settings.mjs').Ports, options: StackOptions, log: import('./progress.mjs').Log }} plan
 * @returns {Promise<{ urls: StackUrls, stop: () => Promise<void> }>}
 */
async function startServers({ directory, ports, options, log }) {
  const given = givenAddresses(process.env);
  const machine = thisMachine();
  const sources = SERVERS.map((server) => ({
    server,
    source: chooseSource(server, { isAddressGiven: given[server] !== undefined, machine }),
  }));
  const unavailable = sources.filter(({ source }) => source === undefined).map(({ server }) => server);
  if (unavailable.length > 0) throw new StackError(adviceFor(unavailable, machine.canRunPrivately));

  const secret = secretOf(directory);
  /** @type {'starting' | 'ready' | 'stopping'} */
  let phase = 'starting';
  const onUnexpectedExit = (/** @type {import('./children.mjs').Child} */ child) => {
    // While starting, whoever waits for the server tells; a server may also be tried again.
    if (phase !== 'ready') return;
    log(`${child.name} ended by itself; its last words:\n${child.lastOutput()}`);
    options.onServerExit?.(child.name);
  };
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  const startOne = async (
    /** @type {{ server: ServerName, source: import('./sources.mjs').Source | undefined }} */ { server, source },
  ) => {
    if (source === 'address') return given[server];
    if (source === 'install')
      await ensureServer(
        server,
        sources.filter((one) => one.source === 'install').map((one) => one.server),
        log,
      );
    const handle = await START[server]({
      directory: path.join(directory, server),
      ports,
      secret,
      durable: !options.ephemeral,
      keepData: !options.ephemeral,
      log,
      onUnexpectedExit,
    });
    stops.push(handle.stop);
    log(`${server} ready`);
    return handle;
  };
  const composed = sources.filter(({ source }) => source === 'compose').map(({ server }) => server);
  const startComposed = async () => {
    const servers = await startWithCompose({
      root: options.root,
      directory,
      services: composed,
      ports,
      secret,
      ephemeral: options.ephemeral ?? false,
      log,
    });
    stops.push(servers.stop);
    return servers.urls;
  };
  const stop = once(async () => {
    phase = 'stopping';
    await Promise.all(stops.map((stopOne) => stopOne()));
  });

  const started = await Promise.allSettled([
    ...sources.filter(({ source }) => source !== 'compose').map(startOne),
    ...(composed.length > 0 ? [startComposed()] : []),
  ]);
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  phase = 'ready';
  return {
    urls: collectUrls(started.map((result) => /** @type {PromiseFulfilledResult<any>} */ (result).value)),
    stop,
  };
}

/**
 * @param {Partial<StackUrls>[]} parts
 * @returns {StackUrls}
 */
function collectUrls(parts) {
  const all = Object.assign({}, ...parts);
  const { superuserDatabaseUrl, redisUrl, amqpUrl, amqpManagementUrl, temporalAddress, temporalUiUrl } = all;
  return { superuserDatabaseUrl, redisUrl, amqpUrl, amqpManagementUrl, temporalAddress, temporalUiUrl };
}

/**
 * @param {() => Promise<void>} action
 * @returns {() => Promise<void>}
 */
function once(action) {
  /** @type {Promise<void> | undefined} */
  let done;
  return () => (done ??= action());
}
