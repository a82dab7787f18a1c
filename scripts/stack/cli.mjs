#!/usr/bin/env node
// node scripts/stack/cli.mjs up | down | status | reset | install
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stopLeftovers } from './children.mjs';
import { removeComposeProject } from './compose.mjs';
import { askRunningStack } from './control.mjs';
import { chooseFolder, clearDeadRuns, openFolder } from './folders.mjs';
import { ensureInstalled } from './install.mjs';
import { takeLock } from './lock.mjs';
import { createLog } from './progress.mjs';
import { StackError } from './stack-error.mjs';
import { startStack } from './stack.mjs';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const STOP_WITHIN_SECONDS = 30;

/** @param {import('./index.d.mts').StackUrls} urls */
function printAddresses(urls) {
  const { username, password } = new URL(urls.amqpUrl);
  const lines = {
    PostgreSQL: urls.superuserDatabaseUrl,
    Redis: urls.redisUrl,
    RabbitMQ: urls.amqpUrl,
    'RabbitMQ management': `${urls.amqpManagementUrl} (user ${username}, password ${password})`,
    Temporal: urls.temporalAddress,
    'Temporal Web UI': urls.temporalUiUrl,
  };
  for (const [name, address] of Object.entries(lines)) console.log(`${name.padEnd(20)} ${address}`);
}

async function up() {
  const log = createLog();
  /** @type {Promise<void> | undefined} */
  let ending;
  /** @type {import('./index.d.mts').Stack | undefined} */
  let stack;
  const end = (/** @type {number} */ exitCode) => {
    ending ??= (async () => {
      log('stopping');
      await stack?.stop();
      log('stopped');
      process.exit(exitCode);
    })();
  };
  // Before it is ready there is nothing to stop in order: the servers end with this process.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => end(0));
  stack = await startStack({ root: ROOT, log, onDown: () => end(0), onServerExit: () => end(1) });
  printAddresses(stack.urls);
  if (!stack.owned) return process.exit(0);
  log('ready; Ctrl-C stops it');
  // Keeps this process in front even when no server is a child of it.
  setInterval(() => {}, 2 ** 30);
}

async function down() {
  const folder = chooseFolder(ROOT);
  const running = await askRunningStack(folder, 'down');
  if (!running) return console.log('not running');
  const release = await takeLock(path.join(folder, 'lock'), { waitSeconds: STOP_WITHIN_SECONDS });
  if (!release) throw new StackError(`Process ${running.pid} has not stopped within ${STOP_WITHIN_SECONDS} s.`);
  console.log('stopped');
}

async function status() {
  const running = await askRunningStack(chooseFolder(ROOT), 'status');
  if (!running) {
    console.log('not running');
    process.exitCode = 1;
    return;
  }
  console.log(`${running.state} (process ${running.pid})`);
  if (running.urls) printAddresses(running.urls);
}

async function reset() {
  const folder = openFolder(chooseFolder(ROOT));
  const release = await takeLock(path.join(folder, 'lock'), { waitSeconds: 0 });
  if (!release) throw new StackError('The stack is running; stop it first: npm run stack -- down');
  const log = createLog();
  await stopLeftovers(folder, log);
  await clearDeadRuns(folder, log);
  await removeComposeProject(folder);
  // Test runs that are going on live there, too.
  for (const name of readdirSync(folder).filter((entry) => entry !== 'runs')) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
  console.log(`removed the data in ${folder}`);
}

const COMMANDS = { up, down, status, reset, install: () => ensureInstalled() };

const command = process.argv[2] ?? 'up';
try {
  if (!(command in COMMANDS))
    throw new StackError(`Unknown command "${command}"; there are ${Object.keys(COMMANDS).join(', ')}.`);
  await COMMANDS[/** @type {keyof typeof COMMANDS} */ (command)]();
} catch (error) {
  console.error(error instanceof StackError ? `stack: ${error.message}` : error);
  process.exit(1);
}
