// The Temporal command line tool, which holds the development server and its Web UI in one binary: found, downloaded, or built once.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { answerOf, isExecutable, lastLines, run } from './commands.mjs';
import { findGo, prepareGo } from './go.mjs';
import { takeLock } from './lock.mjs';
import { mayInstallPackages } from './packages.mjs';
import { reportWhile } from './progress.mjs';
import { MINIMUM_VERSIONS, TEMPORAL_CLI_VERSION } from './settings.mjs';
import { StackError } from './stack-error.mjs';

const MODULE = path.resolve(import.meta.dirname, '..', '..', 'temporal');
const ANSWER_WITHIN_MS = 5_000;
const DOWNLOAD_WITHIN_MS = 180_000;

/**
 * The folder of the binary that a go.sum describes: another go.sum, another folder.
 * @param {string} goSum the file's content
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} home
 */
export function temporalCacheFolder(goSum, environment, home) {
  const hash = createHash('sha256').update(goSum).digest('hex').slice(0, 16);
  return path.join(environment['XDG_CACHE_HOME'] || path.join(home, '.cache'), 'mediconnect', `temporal-${hash}`);
}

/** Where the binary is, once it is there. */
export function temporalCliPath() {
  const folder = temporalCacheFolder(readFileSync(path.join(MODULE, 'go.sum'), 'utf8'), process.env, os.homedir());
  return path.join(folder, 'temporal');
}

/** @returns {string | undefined} */
export function findTemporalCli() {
  const program = temporalCliPath();
  return isExecutable(program) ? program : undefined;
}

/** Whether the binary is there or could be made here. */
export function canHaveTemporalCli() {
  return findTemporalCli() !== undefined || findGo() !== undefined || mayInstallPackages();
}

/**
 * The path of the binary; got first if it is not there.
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<string>}
 * @throws {StackError} when it can neither be downloaded nor built
 */
export async function ensureTemporalCli(log) {
  const target = temporalCliPath();
  if (isExecutable(target)) return target;
  mkdirSync(path.dirname(target), { recursive: true });
  const release = await reportWhile(
    log,
    () => 'waiting for another run that is getting the Temporal CLI',
    takeLock(path.join(path.dirname(target), 'lock'), { waitSeconds: 1800 }),
  );
  try {
    if (isExecutable(target)) return target;
    const unfinished = `${target}.new`;
    const downloaded = await download(unfinished, log);
    if (!downloaded) await build(unfinished, log);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, target);
    return target;
  } finally {
    release?.();
  }
}

/**
 * Downloads the release the way Temporal's SDKs do: temporal.download answers with the address of the archive and the file in it.
 * @param {string} target
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<boolean>} false when it is not to be had quickly; building is the other way
 */
async function download(target, log) {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[/** @type {string} */ (process.arch)];
  if (process.platform !== 'linux' || !architecture) return false;
  const folder = mkdtempSync(path.join(path.dirname(target), 'download-'));
  try {
    const query = `arch=${architecture}&platform=linux&format=tar.gz`;
    const address = `https://temporal.download/cli/v${TEMPORAL_CLI_VERSION}?${query}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!answer.ok) return false;
    const { archiveUrl, fileToExtract } = /** @type {{ archiveUrl: string, fileToExtract: string }} */ (
      await answer.json()
    );
    const archive = await fetchWithin(archiveUrl);
    if (!archive) return false;
    log(`downloading the Temporal CLI ${TEMPORAL_CLI_VERSION}`);
    const file = path.join(folder, 'archive.tar.gz');
    writeFileSync(file, Buffer.from(await archive.arrayBuffer()));
    await run('tar', ['-xzf', file, '-C', folder, fileToExtract]);
    const program = path.join(folder, fileToExtract);
    if (!answerOf(program, ['--version'])?.includes(TEMPORAL_CLI_VERSION)) return false;
    copyFileSync(program, target);
    log('downloaded the Temporal CLI');
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} url
 * @returns {Promise<Response | undefined>} the answer, if it begins soon; its body has longer
 */
async function fetchWithin(url) {
  const controller = new AbortController();
  const slow = setTimeout(() => controller.abort(), ANSWER_WITHIN_MS);
  const answer = await fetch(url, {
    signal: AbortSignal.any([controller.signal, AbortSignal.timeout(DOWNLOAD_WITHIN_MS)]),
  });
  clearTimeout(slow);
  return answer.ok ? answer : undefined;
}

/**
 * Builds the tool that `temporal/go.mod` names.
 * @param {string} target
 * @param {import('./progress.mjs').Log} log
 */
async function build(target, log) {
  const go = await prepareGo(log);
  log('building the Temporal CLI with Go: once, for about five minutes');
  let packages = 0;
  const started = run(
    go.program,
    [
      'build',
      '-v',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags=-s -w',
      '-o',
      target,
      'github.com/temporalio/cli/cmd/temporal',
    ],
    { cwd: MODULE, env: { ...process.env, ...go.env }, onLine: () => (packages += 1) },
  );
  const result = await reportWhile(
    log,
    () => `building the Temporal CLI, ${packages} modules and packages done`,
    started,
  );
  if (result.status !== 0 || !existsSync(target)) {
    throw new StackError(
      `The Temporal CLI could not be built. Put version ${TEMPORAL_CLI_VERSION} at ${temporalCliPath()}, or set ` +
        `STACK_TEMPORAL_ADDRESS, or install Go ${MINIMUM_VERSIONS.go}.\n${lastLines(result.output)}`,
    );
  }
  go.cleanUp();
  log('built the Temporal CLI');
}
