// Where each server comes from. The order is a promise to the user: what they named, what they have, Docker, what may be installed.
/** @typedef {import('./settings.mjs').ServerName} ServerName */
/** @typedef {'address' | 'private' | 'compose' | 'install'} Source */
/** @typedef {import('./index.d.mts').StackUrls} StackUrls */

/**
 * @typedef {object} Machine
 * @property {boolean} canRunPrivately whether private servers can be run here at all (Linux)
 * @property {(server: ServerName) => boolean} isInstalled
 * @property {() => boolean} hasCompose
 * @property {(server: ServerName) => boolean} canInstall
 */

/**
 * @param {ServerName} server
 * @param {{ isAddressGiven: boolean, machine: Machine }} situation
 * @returns {Source | undefined} nothing when the person has to do something first
 */
export function chooseSource(server, { isAddressGiven, machine }) {
  if (isAddressGiven) return 'address';
  if (machine.canRunPrivately && machine.isInstalled(server)) return 'private';
  if (machine.hasCompose()) return 'compose';
  if (machine.canRunPrivately && machine.canInstall(server)) return 'install';
  return undefined;
}

/**
 * The addresses given in the environment, for each server that has one. A page of a server (RabbitMQ's management, Temporal's Web UI) is taken
 * to be on that server's host, on its usual port, unless it is given.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Partial<Record<ServerName, Partial<StackUrls>>>}
 */
export function givenAddresses(environment) {
  const { STACK_DATABASE_URL, STACK_REDIS_URL, STACK_AMQP_URL, STACK_TEMPORAL_ADDRESS } = environment;
  return {
    ...(STACK_DATABASE_URL && { postgres: { superuserDatabaseUrl: STACK_DATABASE_URL } }),
    ...(STACK_REDIS_URL && { redis: { redisUrl: STACK_REDIS_URL } }),
    ...(STACK_AMQP_URL && {
      rabbitmq: {
        amqpUrl: STACK_AMQP_URL,
        amqpManagementUrl:
          environment['STACK_AMQP_MANAGEMENT_URL'] || `http://${new URL(STACK_AMQP_URL).hostname}:15672`,
      },
    }),
    ...(STACK_TEMPORAL_ADDRESS && {
      temporal: {
        temporalAddress: STACK_TEMPORAL_ADDRESS,
        temporalUiUrl: environment['STACK_TEMPORAL_UI_URL'] || `http://${STACK_TEMPORAL_ADDRESS.split(':')[0]}:8233`,
      },
    }),
  };
}

const ADVICE = {
  postgres: 'PostgreSQL 15 (package postgresql), or set STACK_DATABASE_URL',
  redis: 'Redis 7 (package redis-server), or set STACK_REDIS_URL',
  rabbitmq: 'RabbitMQ 3.10 or newer (package rabbitmq-server), or set STACK_AMQP_URL',
  temporal: 'Go 1.26.8 or newer to build the Temporal CLI, or set STACK_TEMPORAL_ADDRESS',
};

/**
 * One sentence that says what to do about servers that cannot be had.
 * @param {readonly ServerName[]} servers
 * @param {boolean} canRunPrivately
 */
export function adviceFor(servers, canRunPrivately) {
  if (!canRunPrivately) {
    return `On this system the servers need Docker (start it), or addresses of your own: ${servers.map((name) => /STACK_\w+/.exec(ADVICE[name])?.[0]).join(', ')}.`;
  }
  return `Please start Docker, or install: ${servers.map((name) => ADVICE[name]).join('; ')}.`;
}
