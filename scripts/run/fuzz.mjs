// npm run fuzz: Schemathesis against the running API; `-- --cases 50` for another number of cases an operation. Needs Python 3.10 or newer.
import './require-node.mjs';
import { createLog } from '../stack/progress.mjs';
import { main, prepare, runTypeScript } from './launch.mjs';

await main(async () => {
  await prepare(createLog());
  return runTypeScript('scripts/local/fuzz.ts', process.argv.slice(2));
});
