// npm run check:sql: squawk reads every migration, as what it is: part of a transaction, or statements of their own.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const migrations = readdirSync('src/db/migrations').map((file) => `src/db/migrations/${file}`);
const isOutside = (/** @type {string} */ file) => file.endsWith('.concurrently.sql');

/** @param {string[]} args */
const squawk = (...args) =>
  spawnSync(process.execPath, ['node_modules/squawk-cli/js/bin/squawk', ...args], { stdio: 'inherit' }).status ?? 1;

const inside = squawk('--assume-in-transaction', 'src/db/setup.sql', ...migrations.filter((file) => !isOutside(file)));
const outside = migrations.some(isOutside) ? squawk(...migrations.filter(isOutside)) : 0;
process.exitCode = inside || outside;
