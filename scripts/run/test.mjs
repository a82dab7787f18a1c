// npm test: every check, then every test, on servers of its own. Arguments go to Jest: `npm test -- --selectProjects unit`; `--no-check` is ours.
import './require-node.mjs';
import { startStack } from '../stack/stack.mjs';
import { createLog } from '../stack/progress.mjs';
import { temporalCliPath } from '../stack/temporal-cli.mjs';
import { ROOT, main, prepare, runInFront } from './launch.mjs';
import { exitCodeOf, needsServers, summaryOf, testEnvironment } from './test-run.mjs';

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const INTERRUPTED = 130;

await main(async () => {
  const log = createLog();
  const jestArguments = process.argv.slice(2).filter((arg) => arg !== '--no-check');
  const isChecking = !process.argv.includes('--no-check');
  /** @type {import('./test-run.mjs').Phase[]} */
  const phases = [];
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => (interrupted = true));

  /**
   * @param {string} name
   * @param {() => Promise<number>} work
   */
  const phase = async (name, work) => {
    if (interrupted) return;
    const started = performance.now();
    const exitCode = await work();
    phases.push({ name, milliseconds: performance.now() - started, exitCode });
  };

  await phase('set-up', async () => (await prepare(log), 0));
  /** @type {import('../stack/index.d.mts').Stack | undefined} */
  let stack;
  try {
    // The servers start while the checks run: most of what they do is waiting.
    await Promise.all([
      phase('servers', async () => {
        if (needsServers(jestArguments)) stack = await startStack({ root: ROOT, ephemeral: true, log });
        return 0;
      }),
      isChecking ? phase('checks', () => runInFront('npm', ['run', 'check'])) : undefined,
    ]);
    const env = { ...process.env, ...(stack ? testEnvironment(stack.urls, temporalCliPath()) : {}) };
    await phase('tests', () => runInFront(process.execPath, [...JEST, ...jestArguments], env));
  } finally {
    await stack?.stop();
  }
  console.error(summaryOf(phases));
  return interrupted ? INTERRUPTED : exitCodeOf(phases);
});
