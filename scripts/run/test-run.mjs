// The decisions of `npm test`, apart from its doing.

const WITHOUT_SERVERS = new Set(['unit', 'properties']);

/**
 * Whether the tests that Jest's arguments select need servers: all do but those of the projects `unit` and `properties`.
 * @param {readonly string[]} args
 */
export function needsServers(args) {
  const flag = args.findIndex((arg) => arg === '--selectProjects' || arg.startsWith('--selectProjects='));
  if (flag < 0) return true;
  const inline = args[flag]?.split('=')[1];
  const rest = args.slice(flag + 1);
  const end = rest.findIndex((arg) => arg.startsWith('-'));
  const selected = inline ? [inline] : rest.slice(0, end < 0 ? undefined : end);
  return selected.some((project) => !WITHOUT_SERVERS.has(project) && !project.includes('/'));
}

/**
 * Where the tests find the servers.
 * @param {import('../stack/index.d.mts').StackUrls} urls
 * @param {string} temporalCli
 * @returns {Record<string, string>}
 */
export function testEnvironment(urls, temporalCli) {
  return {
    TEST_SUPERUSER_DATABASE_URL: urls.superuserDatabaseUrl,
    TEST_REDIS_URL: urls.redisUrl,
    TEST_AMQP_URL: urls.amqpUrl,
    TEST_AMQP_MANAGEMENT_URL: urls.amqpManagementUrl,
    TEST_TEMPORAL_ADDRESS: urls.temporalAddress,
    TEST_TEMPORAL_CLI: temporalCli,
  };
}

/** @typedef {{ name: string, milliseconds: number, exitCode: number }} Phase */

/**
 * @param {readonly Phase[]} phases
 * @returns {string}
 */
export function summaryOf(phases) {
  const seconds = (/** @type {number} */ milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`.padStart(9);
  const lines = phases.map(
    ({ name, milliseconds, exitCode }) =>
      `${name.padEnd(10)}${seconds(milliseconds)}  ${exitCode === 0 ? 'ok' : `failed (exit code ${exitCode})`}`,
  );
  return ['', ...lines, ''].join('\n');
}

/**
 * The exit code of the whole: Jest's when it failed, else that of whatever else did.
 * @param {readonly Phase[]} phases
 */
export function exitCodeOf(phases) {
  const tests = phases.find(({ name }) => name === 'tests');
  return tests?.exitCode || (phases.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0);
}
