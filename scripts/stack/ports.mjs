// Which ports the servers listen on. A development stack has fixed ones; each test run takes a block of its own.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { DEFAULT_PORT_BASE, PORT_NAMES, PORT_OFFSETS } from './settings.mjs';
import { StackError } from './stack-error.mjs';

/** @typedef {import('./settings.mjs').Ports} Ports */
/** @typedef {{ ports: Ports, release: () => void }} PortBlock */

const HOST = '127.0.0.1';
// Below the range Linux takes the ports of outgoing connections from (ip_local_port_range, 32768 and up).
const BLOCKS = { first: 22_000, size: 16, count: 600 };

/**
 * @param {number} port
 * @returns {Promise<net.Server | undefined>}
 */
function listen(port) {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: HOST }, () => resolve(server));
  });
}

/** @param {number} port */
async function isFree(port) {
  const server = await listen(port);
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  return server !== undefined;
}

/**
 * The fixed ports, counted from a base.
 * @param {number} base
 * @returns {Ports}
 */
export function portsFrom(base) {
  return /** @type {Ports} */ (Object.fromEntries(PORT_NAMES.map((name) => [name, base + PORT_OFFSETS[name]])));
}

/**
 * A block of free ports that no other stack takes while this process lives: its first port is held open as the sign that it is taken,
 * which ends by itself when this process does.
 * @returns {Promise<PortBlock>}
 */
export async function takePortBlock() {
  const offset = Math.floor(Math.random() * BLOCKS.count);
  for (let attempt = 0; attempt < BLOCKS.count; attempt++) {
    const first = BLOCKS.first + ((offset + attempt) % BLOCKS.count) * BLOCKS.size;
    const sign = await listen(first);
    if (!sign) continue;
    const ports = portsFrom(first + 1);
    const free = await Promise.all(Object.values(ports).map(isFree));
    if (free.every(Boolean)) {
      sign.unref();
      return { ports, release: () => sign.close() };
    }
    sign.close();
  }
  throw new StackError(`No block of ${BLOCKS.size} free ports was found above ${BLOCKS.first}.`);
}

/**
 * The base the fixed ports are counted from: `STACK_PORT_BASE`, else the default.
 * @param {NodeJS.ProcessEnv} environment
 */
export function portBase(environment) {
  const base = Number(environment['STACK_PORT_BASE'] ?? DEFAULT_PORT_BASE);
  if (!Number.isInteger(base) || base < 1024 || base > 65_000) {
    throw new StackError(
      `STACK_PORT_BASE must be a number from 1024 to 65000, not "${environment['STACK_PORT_BASE']}".`,
    );
  }
  return base;
}

/**
 * The fixed ports; each one that somebody else holds is named in the log and replaced by a free one.
 * @param {number} base
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<PortBlock>}
 */
export async function takeFixedPorts(base, log) {
  const ports = portsFrom(base);
  /** @type {PortBlock | undefined} */
  let spare;
  for (const name of PORT_NAMES) {
    if (await isFree(ports[name])) continue;
    spare ??= await takePortBlock();
    log(`port ${ports[name]} (${name}) is taken by ${holderOf(ports[name])}; using ${spare.ports[name]} instead`);
    ports[name] = spare.ports[name];
  }
  return { ports, release: () => spare?.release() };
}

/**
 * The socket's inode of whoever listens on a port, from a table such as `/proc/net/tcp` (proc(5): state 0A is LISTEN).
 * @param {string} table
 * @param {number} port
 * @returns {string | undefined}
 */
export function listeningInode(table, port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const line = table
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find((fields) => fields[1]?.endsWith(wanted) && fields[3] === '0A');
  return line?.[9];
}

/**
 * The name and pid of the process that listens on a port, as far as the caller may know.
 * @param {number} port
 */
function holderOf(port) {
  const inode = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => listeningInode(readOr(file), port)).find(Boolean);
  for (const pid of inode ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []) {
    try {
      const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (sockets.includes(`socket:[${inode}]`)) return `${readOr(`/proc/${pid}/comm`).trim()} (process ${pid})`;
    } catch {
      // gone meanwhile, or not ours to look at
    }
  }
  return 'another process';
}

/** @param {string} file */
function readOr(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
