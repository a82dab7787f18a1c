/** The addresses of the test servers, from the environment that `npm test` prepares. A missing one fails loudly; nothing is skipped. */
export interface TestServers {
  readonly superuserDatabaseUrl: string;
  readonly redisUrl: string;
  readonly amqpUrl: string;
  readonly amqpManagementUrl: string;
  readonly temporalAddress: string;
}

export function testServers(): TestServers {
  return {
    superuserDatabaseUrl: required('TEST_SUPERUSER_DATABASE_URL'),
    redisUrl: required('TEST_REDIS_URL'),
    amqpUrl: required('TEST_AMQP_URL'),
    amqpManagementUrl: required('TEST_AMQP_MANAGEMENT_URL'),
    temporalAddress: required('TEST_TEMPORAL_ADDRESS'),
  };
}

export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with \`npm test\`, which starts the servers.`);
  return value;
}
