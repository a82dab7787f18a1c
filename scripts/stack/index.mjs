// What the rest of the repository uses of the stack.
export { createTemporalNamespace } from './namespace.mjs';
export { dropDatabase, provisionDatabase } from './database.mjs';
export { ensureDependencies } from './dependencies.mjs';
export { ensureInstalled } from './install.mjs';
export { startPostgres } from './postgres.mjs';
export { startRabbitmq } from './rabbitmq.mjs';
export { startRedis } from './redis.mjs';
export { startStack } from './stack.mjs';
export { startTemporal } from './temporal.mjs';
export { temporalCliPath } from './temporal-cli.mjs';
export { StackError } from './stack-error.mjs';
