import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** One part of the system as a process of its own, so that it can be killed like one. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** The JSON line it printed when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Its last lines, for when something goes wrong. */
  readonly tail: () => string;
  /** Sends the signal and waits for the end. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly exited: Promise<number | null>;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

/** Starts a TypeScript file with tsx and waits for its line of JSON that says it is ready. @throws Error with its last lines when it ends first */
export async function startProcess(options: {
  readonly root: string;
  readonly name: string;
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly isReady: (line: Readonly<Record<string, unknown>>) => boolean;
  /** Every line it prints. */
  readonly onLine?: (line: string) => void;
}): Promise<RunningProcess> {
  const lines: string[] = [];
  const child = launch(options);
  const exited = exitOf(child);
  const tail = () => lines.slice(-25).join('\n');
  const ready = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${options.name} was not ready after ${READY_WITHIN_MS / 1000} s:\n${tail()}`));
    }, READY_WITHIN_MS);
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`${options.name} ended (${code ?? 'killed'}) before it was ready:\n${tail()}`));
    });
    const read = (stream: NodeJS.ReadableStream) => {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (lines.length > 200) lines.shift();
        options.onLine?.(line);
        const parsed = parse(line);
        if (parsed !== undefined && options.isReady(parsed)) {
          clearTimeout(timer);
          resolve(parsed);
        }
      });
    };
    read(child.stdout);
    read(child.stderr);
  });
  const kill = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return {
    name: options.name,
    pid: pidOf(child),
    ready,
    tail,
    exited,
    kill,
    stop: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await kill('SIGTERM');
      clearTimeout(timer);
    },
  };
}

interface Launch {
  readonly root: string;
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a TypeScript file with tsx to its end. @throws Error with what it printed when it fails */
export async function runToEnd(options: Launch & { readonly name: string }): Promise<void> {
  const child = launch(options);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`${options.name} failed (${code ?? 'killed'}):\n${output.join('')}`);
}

function launch({ root, file, args: given = [], env }: Launch) {
  const node = [process.execPath, '--import', 'tsx', file, ...given];
  const [command, ...args] = diesWithParent() ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--', ...node] : node;
  if (command === undefined) throw new Error('nothing to start');
  return spawn(command, args, {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process could not be started');
  return child.pid;
}

/** On Linux the kernel ends the child when we die, even by SIGKILL. */
function diesWithParent(): boolean {
  return existsSync('/usr/bin/setpriv');
}
