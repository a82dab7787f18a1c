import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { startChild, untilReady } from './children.mjs';
import { findRabbitmq } from './installed.mjs';
import { HOST, rabbitmqAddresses } from './addresses.mjs';
import { createServerHandle, takePlace } from './server.mjs';
import { createPrivateFolder, serviceUser, writePrivateFile } from './service-users.mjs';
import { RABBITMQ_USER } from './settings.mjs';
import { StackError } from './stack-error.mjs';

/**
 * Starts a private RabbitMQ with its management and Prometheus plugins, and a port mapper (epmd) of its own.
 * @param {import('./server.mjs').ServerOptions} [options]
 */
export async function startRabbitmq(options = {}) {
  const programs = findRabbitmq();
  if (!programs) throw new StackError('RabbitMQ 3.10 or newer is not installed here.');
  const place = await takePlace('rabbitmq', options);
  const { directory, ports, secret } = place;
  const user = serviceUser('rabbitmq');
  const data = createPrivateFolder(path.join(directory, 'data'), user);
  const env = configure({ data, ports, secret, user });

  /** @type {import('./children.mjs').Child | undefined} */
  let epmd;
  const launchEpmd = async () => {
    if (epmd?.running()) return;
    // In front, as a child like the others: left to itself, Erlang starts one that outlives everything.
    epmd = startChild({
      name: 'epmd',
      directory,
      program: programs.epmd,
      args: ['-port', String(ports.rabbitmqEpmd), '-address', HOST],
      cwd: '/',
      user,
      stopSignal: 'SIGTERM',
      deathSignal: 'SIGKILL',
      onUnexpectedExit: options.onUnexpectedExit,
    });
    await untilReady(epmd, () => accepts(ports.rabbitmqEpmd), { timeoutMs: 5_000 });
  };
  const launch = async () => {
    await launchEpmd();
    const child = startChild({
      name: 'rabbitmq',
      directory,
      program: programs.server,
      args: [],
      cwd: data,
      user,
      env,
      stopSignal: 'SIGTERM',
      onUnexpectedExit: options.onUnexpectedExit,
    });
    const authorization = `Basic ${Buffer.from(`${RABBITMQ_USER}:${secret}`).toString('base64')}`;
    const health = `http://${HOST}:${ports.amqpManagement}/api/health/checks/port-listener/${ports.amqp}`;
    const check = async () =>
      (await fetch(health, { headers: { authorization }, signal: AbortSignal.timeout(2000) })).ok;
    await untilReady(child, check, { timeoutMs: 90_000, everyMs: 100 });
    return child;
  };
  return createServerHandle({
    name: 'rabbitmq',
    addresses: rabbitmqAddresses(ports, secret),
    launch,
    stop: async () => epmd?.stop(),
    place,
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/**
 * Writes RabbitMQ's configuration and returns the environment that keeps it away from the system's files.
 * @param {{ data: string, ports: import('./settings.mjs').Ports, secret: string, user: import('./service-users.mjs').ServiceUser | undefined }} server
 * @returns {Record<string, string>}
 */
function configure({ data, ports, secret, user }) {
  const home = createPrivateFolder(path.join(data, 'home'), user);
  const conf = createPrivateFolder(path.join(data, 'conf'), user);
  const file = (/** @type {string} */ name, /** @type {string} */ content = '') =>
    writePrivateFile(path.join(conf, name), content, user);
  const shared = (/** @type {string} */ name) => readFileSync(new URL(`rabbitmq/${name}`, import.meta.url), 'utf8');
  const cookie = path.join(home, '.erlang.cookie');
  if (!existsSync(cookie)) writePrivateFile(cookie, randomBytes(24).toString('hex'), user, 0o400);
  return {
    HOME: home,
    // The data belongs to the node's name, so the name must not change with the ports.
    RABBITMQ_NODENAME: 'mediconnect@localhost',
    RABBITMQ_DIST_PORT: String(ports.rabbitmqDistribution),
    RABBITMQ_MNESIA_BASE: createPrivateFolder(path.join(data, 'mnesia'), user),
    RABBITMQ_LOG_BASE: createPrivateFolder(path.join(data, 'log'), user),
    RABBITMQ_PID_FILE: path.join(data, 'pid'),
    RABBITMQ_GENERATED_CONFIG_DIR: path.join(conf, 'generated'),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', shared('enabled_plugins')),
    RABBITMQ_CONF_ENV_FILE: file('env.conf'),
    RABBITMQ_CONFIG_FILE: file(
      'rabbitmq.conf',
      [
        `listeners.tcp.local = ${HOST}:${ports.amqp}`,
        `management.tcp.ip = ${HOST}`,
        `management.tcp.port = ${ports.amqpManagement}`,
        `prometheus.tcp.ip = ${HOST}`,
        `prometheus.tcp.port = ${ports.amqpPrometheus}`,
        `default_user = ${RABBITMQ_USER}`,
        `default_pass = ${secret}`,
        'log.console = false',
        shared('rabbitmq.conf'),
      ].join('\n'),
    ),
    RABBITMQ_ADVANCED_CONFIG_FILE: file('advanced.config', shared('advanced.config')),
    // Makes Erlang replace the shell that starts it: one process to signal.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput -kernel inet_dist_use_interface {127,0,0,1} -shutdown_time 1000',
    ERL_EPMD_PORT: String(ports.rabbitmqEpmd),
    ERL_EPMD_ADDRESS: HOST,
  };
}
