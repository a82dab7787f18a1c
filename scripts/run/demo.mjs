// npm run demo: the main job as a story on real parts; `-- --exit` ends after it.
import './require-node.mjs';
import { createLog } from '../stack/progress.mjs';
import { main, prepare, runTypeScript } from './launch.mjs';

await main(async () => {
  await prepare(createLog());
  return runTypeScript('scripts/local/demo.ts', process.argv.slice(2));
});
