// How one process asks another about the stack it runs: one word over a unix socket, one JSON document back.
import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/**
 * @typedef {object} StackState
 * @property {number} pid
 * @property {'starting' | 'ready' | 'stopping'} state
 * @property {import('./index.d.mts').StackUrls} [urls]
 */

/** @param {string} folder */
const socketOf = (folder) => path.join(folder, 'control.sock');

/**
 * Answers other processes. Only the holder of the stack's lock may call this: a socket that is there already is dead.
 * @param {string} folder
 * @param {{ state: () => StackState, onDown: () => void }} answers
 * @returns {Promise<() => void>} stops answering
 */
export async function answerOthers(folder, answers) {
  const socket = socketOf(folder);
  rmSync(socket, { force: true });
  const server = net.createServer({ allowHalfOpen: true }, (connection) => {
    let question = '';
    connection.setEncoding('utf8');
    connection.on('error', () => connection.destroy());
    connection.on('data', (text) => (question += text));
    connection.on('end', () => {
      connection.end(JSON.stringify(answers.state()));
      if (question === 'down') answers.onDown();
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => resolve(undefined));
  });
  chmodSync(socket, 0o600);
  server.unref();
  return () => {
    server.close();
    rmSync(socket, { force: true });
  };
}

/**
 * Asks the process that runs the stack.
 * @param {string} folder
 * @param {'status' | 'down'} question
 * @returns {Promise<StackState | undefined>} nothing when nobody answers
 */
export function askRunningStack(folder, question) {
  return new Promise((resolve) => {
    const connection = net.connect(socketOf(folder));
    let answer = '';
    connection.setEncoding('utf8');
    connection.setTimeout(5000, () => connection.destroy());
    connection.on('connect', () => connection.end(question));
    connection.on('data', (text) => (answer += text));
    connection.on('error', () => resolve(undefined));
    connection.on('close', () => resolve(answer === '' ? undefined : JSON.parse(answer)));
  });
}
