// npm run bench: what the hot paths cost, as ratios against a limit or a peer of the same run. Arguments name benchmarks: `npm run bench -- booking`.
import './require-node.mjs';
import { createLog } from '../stack/progress.mjs';
import { main, prepare, runTypeScript } from './launch.mjs';

await main(async () => {
  await prepare(createLog());
  return runTypeScript('bench/main.ts', process.argv.slice(2));
});
