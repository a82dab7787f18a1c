// A pid alone does not name a process: it is reused, and `kill -0` succeeds for a zombie. Pid and start time together do.
import { readFileSync, readdirSync } from 'node:fs';

/** @typedef {{ pid: number, start: string }} ProcessIdentity */

/**
 * The state, parent and start time in a line of `/proc/<pid>/stat` (proc(5), fields 3, 4 and 22). The program's name, field 2, may hold blanks
 * and brackets, so the fields are counted from its closing bracket.
 * @param {string} stat
 * @returns {{ state: string, parent: number, start: string }}
 */
export function parseStat(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), start: fields[19] ?? '' };
}

/**
 * @param {number} pid
 */
function readStat(pid) {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {number} pid
 * @returns {ProcessIdentity | undefined} nothing when the process is gone or only a zombie
 */
export function identify(pid) {
  const stat = readStat(pid);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : { pid, start: stat.start };
}

/**
 * @param {ProcessIdentity} identity
 * @param {(pid: number) => ProcessIdentity | undefined} [look]
 */
export function isAlive(identity, look = identify) {
  return look(identity.pid)?.start === identity.start;
}

/**
 * The processes below this one, nearest first.
 * @param {number} pid
 * @returns {number[]}
 */
export function descendants(pid) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    const child = Number(entry);
    const parent = Number.isInteger(child) ? readStat(child)?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  /** @type {number[]} */
  const found = [];
  for (let queue = [pid]; queue.length > 0;) {
    const next = queue.shift();
    const below = next === undefined ? [] : (children.get(next) ?? []);
    found.push(...below);
    queue = queue.concat(below);
  }
  return found;
}
