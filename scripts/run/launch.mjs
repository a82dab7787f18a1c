// What the commands behind `npm start`, `npm run demo` and `npm test` have in common: set up, then run the next program in front.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { ensureDependencies } from '../stack/dependencies.mjs';
import { ensureInstalled } from '../stack/install.mjs';
import { StackError } from '../stack/stack-error.mjs';

export const ROOT = path.resolve(import.meta.dirname, '..', '..');

/**
 * Installs the npm packages and the servers where they are missing.
 * @param {(line: string) => void} log
 */
export async function prepare(log) {
  await ensureDependencies(ROOT, { log });
  await ensureInstalled({ log });
}

/**
 * Runs a program in the clone to its end. Ctrl-C reaches it by itself, as it reaches this process; other requests to stop are handed on.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} its exit code; 128 and the signal's number if a signal ended it, as shells count
 */
export async function runInFront(program, args, env = process.env) {
  const child = spawn(program, args, { cwd: ROOT, env, stdio: 'inherit' });
  const ignore = () => {};
  const handOn = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal);
  process.on('SIGINT', ignore).on('SIGTERM', handOn).on('SIGHUP', handOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? os.constants.signals[signal] : 0)));
    });
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', handOn).off('SIGHUP', handOn);
  }
}

/**
 * Runs a TypeScript program of this repository in front.
 * @param {string} file
 * @param {readonly string[]} args
 */
export function runTypeScript(file, args) {
  return runInFront(process.execPath, ['--import', 'tsx', file, ...args]);
}

/**
 * Runs a command and ends the process with its exit code; a failure the user can act on is one line.
 * @param {() => Promise<number>} command
 */
export async function main(command) {
  try {
    process.exit(await command());
  } catch (error) {
    console.error(error instanceof StackError ? error.message : error);
    process.exit(1);
  }
}
