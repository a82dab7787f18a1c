import { startStack } from '../stack/index.mjs';
import { printAddresses } from './addresses.ts';
import { startSystem } from './system.ts';

/* `npm start`: the whole system with the sandbox, for development, on a fresh database. Ends with Ctrl-C. */

const root = process.cwd();
const say = (line: string) => process.stdout.write(`${line}\n`);
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
});

const stack = await startStack({ root, log: say, onDown: () => process.kill(process.pid, 'SIGTERM') });
try {
  const system = await startSystem({
    root,
    urls: stack.urls,
    name: 'mediconnect_start',
    apiPort: 3000,
    sandboxPort: 3080,
    log: say,
    onLine: (role, line) => {
      if (/"level":"(warn|error|fatal)"/.test(line) || !line.startsWith('{')) say(`${role}: ${line}`);
    },
  });
  printAddresses(say, system, stack.urls);
  say('\nEverything runs. Ctrl-C stops it.');
  await stopped;
  say('stopping');
  await system.stop();
} finally {
  await stack.stop();
}
