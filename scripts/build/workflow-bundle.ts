import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORKFLOWS = path.join(ROOT, 'src/workflows/index.ts');
/** Whatever ends up in the bundle; a change of any of it makes a new one. */
const SOURCES = ['src/workflows', 'src/domain', 'node_modules/@temporalio/workflow/package.json'];

/**
 * The workflows as a worker runs them, bundled once for as long as nothing in them changes: bundling takes seconds, and every test file needs it.
 *
 * @param workflowsPath - another set of workflows, for tests that need a variant
 * @returns the bundle's path
 */
export async function workflowBundle(workflowsPath: string = WORKFLOWS): Promise<string> {
  const directory = path.join(ROOT, '.local', 'build');
  const target = path.join(directory, `workflow-bundle-${fingerprint(workflowsPath)}.js`);
  if (existsSync(target)) return target;
  mkdirSync(directory, { recursive: true });
  // Two test processes may bundle at once: the file appears whole or not at all.
  const draft = `${target}.${randomUUID()}`;
  await writeWorkflowBundle(draft, workflowsPath);
  renameSync(draft, target);
  return target;
}

export async function writeWorkflowBundle(target: string, workflowsPath: string = WORKFLOWS): Promise<void> {
  const silent = () => undefined;
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger: { log: silent, trace: silent, debug: silent, info: silent, warn: console.warn, error: console.error },
  });
  writeFileSync(target, code);
}

function fingerprint(workflowsPath: string): string {
  const hash = createHash('sha256').update(workflowsPath);
  for (const source of [...SOURCES.map((each) => path.join(ROOT, each)), path.dirname(workflowsPath)])
    for (const file of filesOf(source)) hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function filesOf(source: string): string[] {
  if (!existsSync(source)) return [];
  if (source.endsWith('.json')) return [source];
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => path.join(source, name));
}

// As a command: the bundle of the build, next to the compiled code.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const target = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist', 'workflow-bundle.js'));
  mkdirSync(path.dirname(target), { recursive: true });
  await writeWorkflowBundle(target);
}
