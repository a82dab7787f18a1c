// A lock that the kernel releases when its holder dies, however it dies: flock(2) on a file kept open.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * Takes the lock, waiting for it as long as told. The lock belongs to the open file, which flock(1) shares with this process: it stays
 * when flock ends, and goes with this process.
 * @param {string} file
 * @param {{ waitSeconds: number }} options
 * @returns {Promise<(() => void) | undefined>} releases the lock; `undefined` when somebody else holds it
 */
export async function takeLock(file, { waitSeconds }) {
  const descriptor = openSync(file, 'a', 0o600);
  const status = await new Promise((resolve) => {
    const child = spawn('flock', [...(waitSeconds > 0 ? ['-w', String(waitSeconds)] : ['-n']), '3'], {
      stdio: ['ignore', 'ignore', 'inherit', descriptor],
    });
    child.once('exit', resolve);
    child.once('error', () => resolve(1));
  });
  if (status === 0) return () => closeSync(descriptor);
  closeSync(descriptor);
  return undefined;
}
