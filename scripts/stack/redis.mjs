import net from 'node:net';
import path from 'node:path';
import { startChild, untilReady } from './children.mjs';
import { findRedis } from './installed.mjs';
import { HOST, redisAddresses } from './addresses.mjs';
import { createServerHandle, takePlace } from './server.mjs';
import { createPrivateFolder, serviceUser, writePrivateFile } from './service-users.mjs';
import { StackError } from './stack-error.mjs';

/**
 * Starts a private Redis. It keeps nothing: MediConnect may lose Redis at any moment.
 * @param {import('./server.mjs').ServerOptions} [options]
 */
export async function startRedis(options = {}) {
  const program = findRedis();
  if (!program) throw new StackError('Redis 7 or newer is not installed here.');
  const place = await takePlace('redis', options);
  const { directory, ports, secret } = place;
  const user = serviceUser('redis');
  const data = createPrivateFolder(path.join(directory, 'data'), user);
  const configuration = writePrivateFile(
    path.join(data, 'redis.conf'),
    [
      `port ${ports.redis}`,
      `bind ${HOST}`,
      'protected-mode yes',
      `requirepass ${secret}`,
      'save ""',
      'appendonly no',
      `dir "${data}"`,
      'maxmemory 256mb',
      'maxmemory-policy noeviction',
      '',
    ].join('\n'),
    user,
  );

  const launch = async () => {
    const child = startChild({
      name: 'redis',
      directory,
      program,
      args: [configuration],
      cwd: data,
      user,
      stopSignal: 'SIGTERM',
      onUnexpectedExit: options.onUnexpectedExit,
    });
    await untilReady(child, () => answersPing(ports.redis, secret), { timeoutMs: 15_000 });
    return child;
  };
  return createServerHandle({ name: 'redis', addresses: redisAddresses(ports, secret), launch, place });
}

/**
 * @param {number} port
 * @param {string} password
 * @returns {Promise<boolean>}
 */
function answersPing(port, password) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    let answer = '';
    const settle = (/** @type {boolean} */ ready) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(500, () => settle(false));
    socket.on('error', () => settle(false));
    socket.on('data', (data) => {
      answer += data.toString();
      if (answer.includes('PONG')) settle(true);
    });
  });
}
