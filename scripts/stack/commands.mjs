// Running other programs and looking for them on this machine.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * @param {string} file
 */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Every program of that name on the PATH and in the system's folders, best first.
 * @param {string} program
 * @param {readonly string[]} [firstFolders]
 * @returns {string[]}
 */
export function findPrograms(program, firstFolders = []) {
  const folders = [
    ...firstFolders,
    ...(process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean),
    ...SYSTEM_FOLDERS,
  ];
  return [...new Set(folders.map((folder) => path.join(folder, program)))].filter(isExecutable);
}

/**
 * What a program prints when asked something short; `undefined` when it fails or does not answer in time.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ timeoutMs?: number, cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {string | undefined}
 */
export function answerOf(program, args, { timeoutMs = 5000, cwd = '/', env = process.env } = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: timeoutMs, cwd, env });
  return result.status === 0 ? result.stdout : undefined;
}

/**
 * Runs a program to its end without blocking; what it wrote comes back, and each line may be watched.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void }} [options]
 * @returns {Promise<{ status: number, output: string, stdout: string }>}
 */
export function run(program, args, { cwd = '/', env = process.env, onLine } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output += text;
        if (stream === child.stdout) stdout += text;
        if (onLine) text.split('\n').filter(Boolean).forEach(onLine);
      });
    }
    child.on('error', (error) => resolve({ status: 127, output: error.message, stdout: '' }));
    child.on('close', (code) => resolve({ status: code ?? 1, output, stdout }));
  });
}

/**
 * The end of a long output, for an error message.
 * @param {string} text
 * @param {number} [lines]
 */
export function lastLines(text, lines = 15) {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
