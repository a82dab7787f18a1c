// What the stack is called and where it listens: shared by the private servers, docker-compose.yml and the tests that compare the two.
import { readFileSync } from 'node:fs';

/** @typedef {'postgres' | 'redis' | 'rabbitmq' | 'temporal'} ServerName */

/** @type {readonly ServerName[]} */
export const SERVERS = ['postgres', 'redis', 'rabbitmq', 'temporal'];

export const DEFAULT_PORT_BASE = 21400;

/** Every port the stack listens on, as its distance from the base port. */
export const PORT_OFFSETS = {
  postgres: 0,
  redis: 1,
  amqp: 2,
  amqpManagement: 3,
  amqpPrometheus: 4,
  rabbitmqDistribution: 5,
  rabbitmqEpmd: 6,
  temporal: 7,
  temporalUi: 8,
  temporalHttp: 9,
  temporalMetrics: 10,
};

/** @typedef {keyof typeof PORT_OFFSETS} PortName */
/** @typedef {Record<PortName, number>} Ports */

/** @type {PortName[]} */
export const PORT_NAMES = /** @type {PortName[]} */ (Object.keys(PORT_OFFSETS));

export const POSTGRES_SUPERUSER = 'postgres';
export const RABBITMQ_USER = 'mediconnect';

/** The oldest releases that have what MediConnect uses. */
export const MINIMUM_VERSIONS = { postgres: '15', redis: '7', rabbitmq: '3.10', go: '1.26.8' };

/** The release `temporal/go.mod` pins; the same binary can be downloaded ready-made under this tag. */
export const TEMPORAL_CLI_VERSION = '1.9.1';

const DEV_SERVER_ARGUMENTS = new URL('../../temporal/dev-server.args', import.meta.url);

/**
 * The arguments of `temporal server start-dev` that do not depend on where it runs, one per line of `temporal/dev-server.args`.
 * @returns {string[]}
 */
export function temporalServerArguments() {
  return readFileSync(DEV_SERVER_ARGUMENTS, 'utf8').split('\n').filter(Boolean);
}

/**
 * The search attributes the development server registers, name to type.
 * @param {readonly string[]} [serverArguments]
 * @returns {Record<string, string>}
 */
export function searchAttributes(serverArguments = temporalServerArguments()) {
  const prefix = '--search-attribute=';
  return Object.fromEntries(
    serverArguments.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length).split('=')),
  );
}
