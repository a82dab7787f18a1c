// Part of `npm run build`: the SQL that `migrate` reads lies beside its module. The compiler takes along only what is imported.
import { cpSync, statSync } from 'node:fs';

cpSync('src/db', 'dist/db', {
  recursive: true,
  filter: (source) => statSync(source).isDirectory() || source.endsWith('.sql'),
});
