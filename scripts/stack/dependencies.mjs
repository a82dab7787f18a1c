// The npm packages, installed when what lies in node_modules is not what package-lock.json says.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { lastLines, run } from './commands.mjs';
import { createLog, reportWhile, silent } from './progress.mjs';
import { StackError } from './stack-error.mjs';

/** @typedef {{ packages?: Record<string, { version?: string, resolved?: string, integrity?: string, optional?: boolean, devOptional?: boolean }> }} Lock */

/**
 * Whether an installation is the one a lock file describes. npm keeps what it installed in node_modules/.package-lock.json; packages for other
 * systems (optional ones) are missing there.
 * @param {Lock} wanted package-lock.json
 * @param {Lock} installed node_modules/.package-lock.json
 */
export function isInstalledAsLocked(wanted, installed) {
  const has = installed.packages ?? {};
  const needs = Object.entries(wanted.packages ?? {}).filter(([where]) => where !== '');
  const isSame = (/** @type {typeof needs[number]} */ [where, entry]) => {
    const found = has[where];
    if (!found) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  };
  const known = new Set(needs.map(([where]) => where));
  return needs.every(isSame) && Object.keys(has).every((where) => known.has(where));
}

/**
 * Runs `npm ci` when node_modules is missing or not what package-lock.json says.
 * @param {string} root
 * @param {{ quiet?: boolean, log?: import('./progress.mjs').Log }} [options]
 */
export async function ensureDependencies(root, options = {}) {
  const log = options.quiet ? silent : (options.log ?? createLog());
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const read = (/** @type {string} */ file) => /** @type {Lock} */ (JSON.parse(readFileSync(file, 'utf8')));
  if (existsSync(installed) && isInstalledAsLocked(read(path.join(root, 'package-lock.json')), read(installed))) return;
  log('installing npm packages');
  const result = await reportWhile(
    log,
    () => 'installing npm packages',
    run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root }),
  );
  if (result.status !== 0) throw new StackError(`npm ci failed:\n${lastLines(result.output, 30)}`);
  log('installed npm packages');
}
