// Where the stack keeps its data: below the clone where the servers' users can enter it, else below /var/tmp.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { stopLeftovers } from './children.mjs';
import { removeComposeProject } from './compose.mjs';
import { identify, isAlive } from './process-identity.mjs';
import { StackError } from './stack-error.mjs';

// A unix socket's path holds at most 107 bytes (unix(7)), and the control socket lies in this folder.
const LONGEST_FOLDER = 90;

/**
 * Whether users other than the owner can walk down to a folder: everyone above it must be open to them.
 * @param {string} folder
 * @param {(folder: string) => number} modeOf
 */
export function othersCanEnter(folder, modeOf = (name) => statSync(name).mode) {
  for (let current = folder; ; current = path.dirname(current)) {
    if (existsSync(current) && (modeOf(current) & 0o001) === 0) return false;
    if (current === path.dirname(current)) return true;
  }
}

/**
 * The folder of a clone's stack.
 * @param {string} root the clone
 * @param {{ isRoot: boolean, canEnter: (folder: string) => boolean }} [host]
 */
export function chooseFolder(root, host = { isRoot: process.getuid?.() === 0, canEnter: othersCanEnter }) {
  const inside = path.join(root, '.local', 'stack');
  const reachable = !host.isRoot || host.canEnter(inside);
  if (reachable && Buffer.byteLength(inside) <= LONGEST_FOLDER) return inside;
  return path.join(
    '/var/tmp',
    `mediconnect-${createHash('sha256').update(path.resolve(root)).digest('hex').slice(0, 12)}`,
  );
}

/**
 * Makes sure that the folder is there, is ours, and can be entered by the servers' users.
 * @param {string} folder
 */
export function openFolder(folder) {
  const first = mkdirSync(folder, { recursive: true });
  // Whatever the umask: the servers' users must get through every folder made here.
  for (let made = folder; first && made.length >= first.length; made = path.dirname(made)) chmodSync(made, 0o711);
  const found = lstatSync(folder);
  // Anybody may create names below /var/tmp: what somebody else put there is not trusted.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new StackError(`The folder ${folder} belongs to somebody else. Remove it, or run as its owner.`);
  }
  return folder;
}

/**
 * The folder of one test run. Its name says whose it is, so that a later run can tell that its owner died.
 * @param {string} folder the stack's folder
 */
export function createRunFolder(folder) {
  const me = identify(process.pid);
  const name = [
    Number(me?.pid ?? process.pid).toString(36),
    Number(me?.start ?? 0).toString(36),
    randomBytes(3).toString('hex'),
  ].join('-');
  return openFolder(path.join(folder, 'runs', name));
}

/**
 * The process a run's folder belongs to, from the folder's name.
 * @param {string} name
 * @returns {import('./process-identity.mjs').ProcessIdentity | undefined}
 */
export function runOwner(name) {
  const match = /^([0-9a-z]+)-([0-9a-z]+)-[0-9a-f]{6}$/.exec(name);
  if (!match) return undefined;
  return { pid: Number.parseInt(match[1] ?? '', 36), start: String(Number.parseInt(match[2] ?? '', 36)) };
}

/**
 * Stops the servers of runs whose process is gone and removes their folders.
 * @param {string} folder
 * @param {import('./progress.mjs').Log} log
 */
export async function clearDeadRuns(folder, log) {
  const runs = path.join(folder, 'runs');
  const dead = (existsSync(runs) ? readdirSync(runs) : []).filter((name) => {
    const owner = runOwner(name);
    return owner === undefined || !isAlive(owner);
  });
  await Promise.all(
    dead.map(async (name) => {
      const run = path.join(runs, name);
      await stopLeftovers(run, log).catch((/** @type {NodeJS.ErrnoException} */ error) => {
        if (error.code !== 'ENOENT') throw error;
      });
      await removeComposeProject(run);
      rmSync(run, { recursive: true, force: true });
    }),
  );
}

/**
 * The secret all passwords of this instance are: made once, readable by its owner only.
 * @param {string} folder
 */
export function secretOf(folder) {
  const file = path.join(folder, 'secret');
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
