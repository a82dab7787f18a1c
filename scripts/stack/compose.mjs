// The same servers from docker-compose.yml, for machines where they are not installed and a Docker engine runs.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { postgresAddresses, rabbitmqAddresses, redisAddresses, temporalAddresses } from './addresses.mjs';
import { answerOf, lastLines, run } from './commands.mjs';
import { reportWhile } from './progress.mjs';
import { StackError } from './stack-error.mjs';

/** @typedef {import('./settings.mjs').ServerName} ServerName */

const MARK = 'compose-project';

/** Whether a Docker engine answers and has Compose. */
export function composeIsAvailable() {
  const engine = answerOf('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 3000 });
  return engine !== undefined && answerOf('docker', ['compose', 'version'], { timeoutMs: 5000 }) !== undefined;
}

/**
 * The variables docker-compose.yml reads: a port for each published one, and the password.
 * @param {import('./settings.mjs').Ports} ports
 * @param {string} secret
 * @returns {Record<string, string>}
 */
export function composeEnvironment(ports, secret) {
  return {
    STACK_PASSWORD: secret,
    STACK_POSTGRES_PORT: String(ports.postgres),
    STACK_REDIS_PORT: String(ports.redis),
    STACK_AMQP_PORT: String(ports.amqp),
    STACK_AMQP_MANAGEMENT_PORT: String(ports.amqpManagement),
    STACK_AMQP_PROMETHEUS_PORT: String(ports.amqpPrometheus),
    STACK_TEMPORAL_PORT: String(ports.temporal),
    STACK_TEMPORAL_UI_PORT: String(ports.temporalUi),
  };
}

/**
 * Starts some of the servers with Docker Compose and waits until they are healthy.
 * @param {{ root: string, directory: string, services: readonly ServerName[], ports: import('./settings.mjs').Ports, secret: string,
 *   ephemeral: boolean, log: import('./progress.mjs').Log }} options
 * @returns {Promise<{ urls: Partial<import('./index.d.mts').StackUrls>, stop: () => Promise<void> }>}
 */
export async function startWithCompose({ root, directory, services, ports, secret, ephemeral, log }) {
  const project = `mediconnect-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`;
  writeFileSync(path.join(directory, MARK), project);
  const compose = ['compose', '-p', project, '-f', path.join(root, 'docker-compose.yml')];
  const env = { ...process.env, ...composeEnvironment(ports, secret) };
  const what = `starting ${services.join(', ')} with Docker Compose`;
  log(what);
  const result = await reportWhile(
    log,
    () => what,
    run('docker', [...compose, 'up', '--detach', '--wait', ...services], { cwd: root, env }),
  );
  if (result.status !== 0)
    throw new StackError(`Docker Compose could not start the servers:\n${lastLines(result.output)}`);
  for (const service of services) log(`${service} ready`);
  return {
    urls: composeUrls(services, ports, secret),
    async stop() {
      await run('docker', [...compose, ...(ephemeral ? ['down', '--volumes'] : ['stop'])], { cwd: root, env });
      if (ephemeral) rmSync(path.join(directory, MARK), { force: true });
    },
  };
}

/**
 * @param {readonly ServerName[]} services
 * @param {import('./settings.mjs').Ports} ports
 * @param {string} secret
 */
function composeUrls(services, ports, secret) {
  const addresses = {
    postgres: postgresAddresses,
    redis: redisAddresses,
    rabbitmq: rabbitmqAddresses,
    temporal: temporalAddresses,
  };
  return Object.assign({}, ...services.map((name) => addresses[name](ports, secret)));
}

/**
 * Removes the containers and volumes that were started for a folder.
 * @param {string} directory
 */
export async function removeComposeProject(directory) {
  const mark = path.join(directory, MARK);
  if (existsSync(mark)) await run('docker', ['compose', '-p', readFileSync(mark, 'utf8'), 'down', '--volumes']);
}
