// PostgreSQL refuses to run as root, and Debian's packages bring a user for each server: root drops to it, anybody else stays themselves.
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** @typedef {{ name: string, uid: number, gid: number }} ServiceUser */

/**
 * The user a server runs as; `undefined` when it runs as the caller.
 * @param {string} name
 * @returns {ServiceUser | undefined}
 */
export function serviceUser(name) {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const wanted of [name, 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${wanted}:`))?.split(':');
    if (fields) return { name: wanted, uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  return undefined;
}

/**
 * A folder only the server's user can read, created if need be.
 * @param {string} folder
 * @param {ServiceUser | undefined} user
 */
export function createPrivateFolder(folder, user) {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  if (user) chownSync(folder, user.uid, user.gid);
  return folder;
}

/**
 * A file only the server's user can read, written anew.
 * @param {string} file
 * @param {string} content
 * @param {ServiceUser | undefined} user
 * @param {number} [mode]
 */
export function writePrivateFile(file, content, user, mode = 0o600) {
  rmSync(file, { force: true });
  writeFileSync(file, content, { mode });
  if (user) chownSync(file, user.uid, user.gid);
  return file;
}
