// npm start: the whole system with the sandbox, for development.
import './require-node.mjs';
import { createLog } from '../stack/progress.mjs';
import { main, prepare, runTypeScript } from './launch.mjs';

await main(async () => {
  await prepare(createLog());
  return runTypeScript('scripts/local/start.ts', process.argv.slice(2));
});
