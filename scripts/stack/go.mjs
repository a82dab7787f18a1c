// Go, for building the Temporal CLI: the one installed if it is new enough; else any Go fetches the right one as a module.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { answerOf, findPrograms, isExecutable, lastLines, run } from './commands.mjs';
import { installPackages } from './packages.mjs';
import { MINIMUM_VERSIONS } from './settings.mjs';
import { StackError } from './stack-error.mjs';
import { findVersion, isAtLeast } from './versions.mjs';

/** @typedef {{ program: string, env: NodeJS.ProcessEnv, cleanUp: () => void }} Go */

const FOLDERS = ['/usr/local/go/bin', '/usr/lib/go/bin'];

/** @param {string} program */
const versionOf = (program) =>
  findVersion(
    answerOf(program, ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } })?.replace(/^go version go/, '') ??
      '',
  );

/**
 * Any installed Go, the newest first.
 * @returns {{ program: string, version: string | undefined } | undefined}
 */
export function findGo() {
  const found = findPrograms('go', FOLDERS).map((program) => ({ program, version: versionOf(program) }));
  return found.sort((a, b) => (isAtLeast(a.version, b.version ?? '0') ? -1 : 1))[0];
}

/**
 * A Go that can build the CLI, installed or fetched if need be.
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<Go>}
 */
export async function prepareGo(log) {
  const installed = findGo();
  if (installed && isAtLeast(installed.version, MINIMUM_VERSIONS.go)) {
    return { program: installed.program, env: { GOTOOLCHAIN: 'local' }, cleanUp: () => {} };
  }
  if (!installed) await installPackages(['golang-go'], log);
  const old = findGo();
  if (!old) throw new StackError(`Please install Go ${MINIMUM_VERSIONS.go} or newer (https://go.dev/dl).`);
  return fetchGo(old.program, log);
}

/**
 * Fetches the wanted Go as a module (https://go.dev/doc/toolchain, "golang.org/toolchain"). Modules carry no executable bits, so they are set.
 * What it downloads and compiles goes to folders of its own, removed after the build: nobody here uses Go otherwise.
 * @param {string} oldGo
 * @param {import('./progress.mjs').Log} log
 * @returns {Promise<Go>}
 */
async function fetchGo(oldGo, log) {
  const cache = path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'mediconnect', 'go');
  const goRoot = path.join(cache, `go${MINIMUM_VERSIONS.go}`);
  const program = path.join(goRoot, 'bin', 'go');
  const env = {
    GOPATH: path.join(cache, 'path'),
    GOCACHE: path.join(cache, 'build'),
    GOMODCACHE: path.join(cache, 'modules'),
    GOFLAGS: '-modcacherw',
    GOTOOLCHAIN: 'local',
  };
  mkdirSync(cache, { recursive: true });
  if (!isExecutable(program)) {
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const module = `golang.org/toolchain@v0.0.1-go${MINIMUM_VERSIONS.go}.linux-${architecture}`;
    log(`fetching Go ${MINIMUM_VERSIONS.go}`);
    // Outside any module: an old Go cannot read a new go.mod.
    const result = await run(oldGo, ['mod', 'download', '-json', module], {
      cwd: cache,
      env: { ...process.env, ...env },
    });
    /** @type {{ Dir?: string }} */
    const answer = result.status === 0 ? JSON.parse(result.stdout) : {};
    if (!answer.Dir)
      throw new StackError(`Go ${MINIMUM_VERSIONS.go} could not be fetched:\n${lastLines(result.output)}`);
    const unfinished = `${goRoot}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    cpSync(answer.Dir, unfinished, { recursive: true });
    for (const folder of ['bin', `pkg/tool/linux_${architecture}`].map((name) => path.join(unfinished, name))) {
      for (const file of existsSync(folder) ? readdirSync(folder) : []) chmodSync(path.join(folder, file), 0o755);
    }
    renameSync(unfinished, goRoot);
  }
  return {
    program,
    env: { ...env, GOROOT: goRoot },
    cleanUp: () => rmSync(cache, { recursive: true, force: true }),
  };
}
