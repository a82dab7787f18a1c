// Part of `npm run build`: the SQL that `migrate` reads lies beside its module. The compiler takes along only what is imported.
import { cpSync } from 'node:fs';

for (const part of ['setup.sql', 'migrations', 'functions']) {
  cpSync(`src/db/${part}`, `dist/db/${part}`, { recursive: true });
}
