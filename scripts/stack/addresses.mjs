// How the servers are reached: the same form whether they are private processes or containers.
import { POSTGRES_SUPERUSER, RABBITMQ_USER } from './settings.mjs';

/** The servers listen on the loopback interface only. */
export const HOST = '127.0.0.1';

/** @typedef {import('./settings.mjs').Ports} Ports */

/**
 * @param {Ports} ports
 * @param {string} secret
 */
export const postgresAddresses = (ports, secret) => ({
  superuserDatabaseUrl: `postgres://${POSTGRES_SUPERUSER}:${secret}@${HOST}:${ports.postgres}/postgres`,
});

/**
 * @param {Ports} ports
 * @param {string} secret
 */
export const redisAddresses = (ports, secret) => ({ redisUrl: `redis://:${secret}@${HOST}:${ports.redis}/0` });

/**
 * @param {Ports} ports
 * @param {string} secret
 */
export const rabbitmqAddresses = (ports, secret) => ({
  amqpUrl: `amqp://${RABBITMQ_USER}:${secret}@${HOST}:${ports.amqp}`,
  amqpManagementUrl: `http://${HOST}:${ports.amqpManagement}`,
});

/** @param {Ports} ports */
export const temporalAddresses = (ports) => ({
  temporalAddress: `${HOST}:${ports.temporal}`,
  temporalUiUrl: `http://${HOST}:${ports.temporalUi}`,
});
