// Server processes: started so that they die with us, and recorded so that a later run recognises what an earlier one left behind.
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from './commands.mjs';
import { descendants, identify, isAlive } from './process-identity.mjs';
import { StackError } from './stack-error.mjs';

/**
 * @typedef {object} ChildPlan
 * @property {string} name
 * @property {string} directory the server's own folder: its log and the record of its process go there
 * @property {string} program
 * @property {readonly string[]} args
 * @property {string} cwd
 * @property {Record<string, string>} [env] what it sees besides PATH, HOME and LANG
 * @property {import('./service-users.mjs').ServiceUser | undefined} [user]
 * @property {NodeJS.Signals} stopSignal ends it cleanly; the kernel sends it, too, should this process die
 * @property {NodeJS.Signals} [deathSignal] another signal for that last case
 * @property {((child: Child) => void) | undefined} [onUnexpectedExit]
 */

/**
 * @typedef {object} Child
 * @property {string} name
 * @property {number} pid
 * @property {Promise<void>} exited
 * @property {() => boolean} running
 * @property {(signal: NodeJS.Signals) => void} signal
 * @property {() => Promise<void>} stop
 * @property {() => string} lastOutput
 */

const STOP_TIMEOUT_MS = 10_000;
const RECORD = '.process.json';

/**
 * Must be called on the main thread: the kernel ties the child's life to the thread that started it (PR_SET_PDEATHSIG, prctl(2)).
 * The child gets a session of its own, so that Ctrl-C reaches this process only, which then stops its children in order.
 * @param {ChildPlan} plan
 * @returns {Child}
 */
export function startChild(plan) {
  const logFile = path.join(plan.directory, `${plan.name}.log`);
  const record = path.join(plan.directory, `${plan.name}${RECORD}`);
  const drop = plan.user ? ['--reuid', String(plan.user.uid), '--regid', String(plan.user.gid), '--init-groups'] : [];
  const output = openSync(logFile, 'w', 0o600);
  const child = spawn(
    'setpriv',
    ['--pdeathsig', (plan.deathSignal ?? plan.stopSignal).slice(3), ...drop, '--', plan.program, ...plan.args],
    {
      cwd: plan.cwd,
      detached: true,
      stdio: ['ignore', output, output],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', ...plan.env },
    },
  );
  closeSync(output);
  let ended = child.pid === undefined;
  let stopping = false;
  const pid = child.pid ?? 0;
  if (!ended) writeFileSync(record, JSON.stringify({ name: plan.name, stopSignal: plan.stopSignal, ...identify(pid) }));

  /** @type {Child} */
  const handle = {
    name: plan.name,
    pid,
    exited: new Promise((resolve) => {
      const end = () => {
        ended = true;
        rmSync(record, { force: true });
        resolve();
        if (!stopping) plan.onUnexpectedExit?.(handle);
      };
      child.once('exit', end);
      child.once('error', (error) => {
        appendFileSync(logFile, `${error.message}\n`);
        end();
      });
    }),
    running: () => !ended,
    signal(signal) {
      if (ended) return;
      // A frozen server must be frozen as a whole: its child processes would go on answering.
      if (signal === 'SIGSTOP' || signal === 'SIGCONT') for (const below of descendants(pid)) sendTo(below, signal);
      else stopping = true;
      child.kill(signal);
    },
    async stop() {
      if (ended) return;
      stopping = true;
      handle.signal('SIGCONT');
      child.kill(plan.stopSignal);
      const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await handle.exited;
      clearTimeout(giveUp);
    },
    lastOutput: () => (existsSync(logFile) ? lastLines(readFileSync(logFile, 'utf8')) : ''),
  };
  return handle;
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function sendTo(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/**
 * Waits until a check of a starting server succeeds.
 * @param {Child} child
 * @param {() => Promise<boolean> | boolean} check a refused connection may throw: that is a no
 * @param {{ timeoutMs: number, everyMs?: number }} options
 * @throws {StackError} when the server dies first or takes too long
 */
export async function untilReady(child, check, { timeoutMs, everyMs = 25 }) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (!child.running()) throw new StackError(`${child.name} ended while starting:\n${child.lastOutput()}`);
    try {
      if (await check()) return;
    } catch {
      // not listening yet
    }
    if (performance.now() > deadline) {
      throw new StackError(`${child.name} was not ready after ${timeoutMs / 1000} s:\n${child.lastOutput()}`);
    }
    await delay(everyMs);
  }
}

/**
 * Reads the record of a process that an earlier run started.
 * @param {string} text
 * @returns {{ name: string, pid: number, start: string, stopSignal: NodeJS.Signals } | undefined}
 */
export function parseRecord(text) {
  try {
    const record = JSON.parse(text);
    const complete = Number.isInteger(record.pid) && typeof record.start === 'string';
    return complete ? { name: 'server', stopSignal: 'SIGTERM', ...record } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Stops whatever the records in an instance's folder name and is still the same process.
 * @param {string} folder
 * @param {import('./progress.mjs').Log} log
 */
export async function stopLeftovers(folder, log) {
  const records = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSafely(path.join(folder, entry.name)))
    .filter((file) => file.endsWith(RECORD));
  await Promise.all(
    records.map(async (file) => {
      const record = parseRecord(readFileSync(file, 'utf8'));
      if (record && isAlive(record)) {
        log(`stopping ${record.name} (process ${record.pid}), left by an earlier run`);
        for (const below of descendants(record.pid)) sendTo(below, 'SIGCONT');
        sendTo(record.pid, 'SIGCONT');
        sendTo(record.pid, record.stopSignal);
        const deadline = performance.now() + STOP_TIMEOUT_MS;
        while (isAlive(record) && performance.now() < deadline) await delay(50);
        if (isAlive(record)) sendTo(record.pid, 'SIGKILL');
        while (isAlive(record)) await delay(50);
      }
      rmSync(file, { force: true });
    }),
  );
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function readdirSafely(folder) {
  try {
    return readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}
