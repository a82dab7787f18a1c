// Debian's packages, installed when the caller may: root, or somebody with sudo that asks no password.
import { answerOf, findPrograms, lastLines, run } from './commands.mjs';
import { reportWhile } from './progress.mjs';
import { StackError } from './stack-error.mjs';

/**
 * The words to put in front of a command that needs root; `undefined` when the caller cannot become root.
 * @returns {string[] | undefined}
 */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return answerOf('sudo', ['-n', 'true']) === undefined ? undefined : ['sudo', '-n'];
}

/** Whether Debian packages can be installed here without asking anybody. */
export function mayInstallPackages() {
  return findPrograms('apt-get').length > 0 && rootPrefix() !== undefined;
}

const MARK = 'written by the MediConnect stack';
const APT = 'apt-get -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120';

// A package's install script starts the server it brings unless policy-rc.d says 101 (not allowed): ours have their own ports and folders.
// One that an interrupted run left behind carries the mark and goes, too.
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -q '${MARK}' "$policy"; then
  trap 'rm -f "$policy"' EXIT INT TERM HUP
  printf '#!/bin/sh\\n# ${MARK}\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
${APT} install "$@" || { apt-get update -qq && ${APT} install "$@"; }
`;

/**
 * Installs Debian packages without starting what they bring.
 * @param {readonly string[]} names only what is missing: asking again for what is there would upgrade it
 * @param {import('./progress.mjs').Log} log
 * @throws {StackError} when the packages cannot be had
 */
export async function installPackages(names, log) {
  const prefix = rootPrefix();
  const advice = `install ${names.join(', ')} with: sudo apt-get install --no-install-recommends ${names.join(' ')}`;
  if (prefix === undefined) throw new StackError(`Please ${advice}`);
  const what = `installing ${names.join(', ')}`;
  log(what);
  const [program, ...args] = [...prefix, 'sh', '-c', INSTALL, 'sh', ...names];
  const result = await reportWhile(log, () => what, run(/** @type {string} */ (program), args));
  if (result.status !== 0) {
    throw new StackError(`The Debian packages could not be installed; ${advice}\n${lastLines(result.output)}`);
  }
  log(`installed ${names.join(', ')}`);
}
