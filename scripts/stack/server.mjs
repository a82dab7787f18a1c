// What every private server has in common: it is launched, killed, restarted on the same ports with the same data, and stopped.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { openFolder, chooseFolder, clearDeadRuns, createRunFolder, secretOf } from './folders.mjs';
import { takePortBlock } from './ports.mjs';
import { silent } from './progress.mjs';

const CLONE = path.resolve(import.meta.dirname, '..', '..');

/**
 * @typedef {object} ServerOptions
 * @property {string} [directory] the server's folder; without it a new one, removed at stop
 * @property {import('./settings.mjs').Ports} [ports] without them free ones
 * @property {string} [secret] the password, else one kept in the folder
 * @property {boolean} [durable] false: faster, and the data need not survive a crash of the machine
 * @property {import('./progress.mjs').Log} [log]
 * @property {((child: import('./children.mjs').Child) => void) | undefined} [onUnexpectedExit]
 */

/**
 * @typedef {object} Place
 * @property {string} directory
 * @property {import('./settings.mjs').Ports} ports
 * @property {string} secret
 * @property {() => void} leave gives back the ports and removes the folder where they were made for this server alone
 */

/**
 * The folder, ports and password of one server: those given, else its own.
 * @param {string} name
 * @param {ServerOptions} options
 * @returns {Promise<Place>}
 */
export async function takePlace(name, options) {
  /** @type {(() => void)[]} */
  const undo = [];
  let { directory, ports } = options;
  if (directory === undefined) {
    const folder = openFolder(chooseFolder(CLONE));
    await clearDeadRuns(folder, options.log ?? silent);
    const runFolder = createRunFolder(folder);
    directory = path.join(runFolder, name);
    undo.push(() => rmSync(runFolder, { recursive: true, force: true }));
  }
  openFolder(directory);
  if (ports === undefined) {
    const block = await takePortBlock();
    ports = block.ports;
    undo.push(block.release);
  }
  return {
    directory,
    ports,
    secret: options.secret ?? secretOf(directory),
    leave: () => undo.forEach((step) => step()),
  };
}

/**
 * The handle of a private server.
 * @template {Record<string, string>} Addresses
 * @param {{ name: import('./settings.mjs').ServerName, addresses: Addresses, launch: () => Promise<import('./children.mjs').Child>, stop?: () => Promise<void>, place: Place }} server
 * @returns {Promise<Addresses & import('./index.d.mts').ServerHandle>}
 */
export async function createServerHandle({ name, addresses, launch, stop, place }) {
  /** @type {import('./children.mjs').Child} */
  let child;
  let left = false;
  const end = async () => {
    await child?.stop();
    await stop?.();
  };
  const leave = () => {
    if (!left) place.leave();
    left = true;
  };
  try {
    child = await launch();
  } catch (error) {
    await stop?.();
    leave();
    throw error;
  }
  return {
    ...addresses,
    name,
    get pid() {
      return child.pid;
    },
    async kill(signal = 'SIGKILL') {
      child.signal(signal);
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await child.exited;
    },
    async restart() {
      await child.stop();
      child = await launch();
    },
    async stop() {
      await end();
      leave();
    },
  };
}
