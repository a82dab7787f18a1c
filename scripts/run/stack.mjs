// npm run stack: the four servers only; `-- down | status | reset | install` for the rest.
import './require-node.mjs';

await import('../stack/cli.mjs');
