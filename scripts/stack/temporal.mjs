import { rmSync } from 'node:fs';
import path from 'node:path';
import { startChild, untilReady } from './children.mjs';
import { HOST, temporalAddresses } from './addresses.mjs';
import { createServerHandle, takePlace } from './server.mjs';
import { temporalServerArguments } from './settings.mjs';
import { StackError } from './stack-error.mjs';
import { findTemporalCli } from './temporal-cli.mjs';

/**
 * Starts a private Temporal development server with its Web UI and time skipping.
 * @param {import('./server.mjs').ServerOptions & { keepData?: boolean }} [options] `keepData` keeps what an earlier server left in the folder
 */
export async function startTemporal(options = {}) {
  const program = findTemporalCli();
  if (!program) throw new StackError('The Temporal CLI is not there yet; "npm run stack -- install" gets it.');
  const place = await takePlace('temporal', options);
  const { directory, ports } = place;
  // Named for the binary: another version has another schema.
  const database = path.join(directory, `${path.basename(path.dirname(program))}.db`);
  if (!options.keepData) for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });

  const launch = async () => {
    const child = startChild({
      name: 'temporal',
      directory,
      program,
      args: [
        'server',
        'start-dev',
        '--ip',
        HOST,
        '--port',
        String(ports.temporal),
        '--ui-port',
        String(ports.temporalUi),
        '--http-port',
        String(ports.temporalHttp),
        '--metrics-port',
        String(ports.temporalMetrics),
        '--db-filename',
        database,
        ...temporalServerArguments(),
        // A developer's own Temporal profile must not change this server.
        '--disable-config-file',
        '--disable-config-env',
      ],
      cwd: directory,
      stopSignal: 'SIGTERM',
      onUnexpectedExit: options.onUnexpectedExit,
    });
    const namespace = `http://${HOST}:${ports.temporalHttp}/api/v1/namespaces/default`;
    const page = `http://${HOST}:${ports.temporalUi}/`;
    const isUp = async (/** @type {string} */ url) => (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
    await untilReady(child, async () => (await isUp(namespace)) && (await isUp(page)), {
      timeoutMs: 60_000,
      everyMs: 50,
    });
    return child;
  };
  return createServerHandle({
    name: 'temporal',
    addresses: temporalAddresses(ports),
    launch,
    place,
  });
}
