import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode, type ErrorDetail } from '../domain/errors.ts';

/*
 * Files that somebody else has written (calendars, bundles, tables) are read in a thread of their own, which may be stopped at any moment and may not
 * take more memory than it is given: whatever is in a file, this process goes on answering. These limits are the last resort, and what they stop differs
 * from machine to machine: a reader counts what it does in steps, and refuses with `file_too_costly` long before.
 */

/** A pure function that reads a file: where it is, and under which name it is exported. What it takes and returns can be cloned between threads. */
export interface ForeignReader<Args extends readonly unknown[], Value> {
  /** `import.meta.url` of the function's module. */
  readonly module: string;
  readonly name: string;
  /** For its types alone. */
  readonly read: (...args: Args) => Value;
}

export interface ForeignFiles {
  /**
   * What the reader makes of a file.
   * @param caller - who sent it: each has one file read at a time, and the next ones wait for it
   * @throws AppError `file_too_costly` when it takes too long or too much memory, `rate_limited` when too many of the caller's files wait, and
   *   what the reader throws
   */
  readonly read: <Args extends readonly unknown[], Value>(
    caller: string,
    reader: ForeignReader<Args, Value>,
    ...args: Args
  ) => Promise<Value>;
}

export interface ForeignFileLimits {
  /** From the start of the thread. */
  readonly milliseconds: number;
  readonly megabytes: number;
  /** Threads at the same time, of all callers together. */
  readonly threads: number;
  /** Of one caller: files that wait besides the one that is read. */
  readonly waiting: number;
}

const LIMITS: ForeignFileLimits = { milliseconds: 10_000, megabytes: 128, threads: 2, waiting: 10 };

export function createForeignFiles(given: Partial<ForeignFileLimits> = {}): ForeignFiles {
  const limits = { ...LIMITS, ...given };
  /** Callers with files, in the order of their turns; of each what it has running (the first) or waiting. */
  const queues = new Map<string, (() => Promise<void>)[]>();
  const reading = new Set<string>();

  /** Whoever has had a turn goes to the end, so that nobody waits for all the files of another. */
  const next = (): void => {
    for (const [caller, queue] of queues) {
      if (reading.size >= limits.threads) return;
      const work = reading.has(caller) ? undefined : queue.shift();
      if (work === undefined) continue;
      reading.add(caller);
      queues.delete(caller);
      queues.set(caller, queue);
      void work().finally(() => {
        reading.delete(caller);
        if (queue.length === 0) queues.delete(caller);
        next();
      });
    }
  };

  return {
    read: (caller, reader, ...args) => {
      const queue = queues.get(caller) ?? [];
      if (queue.length >= limits.waiting) return Promise.reject(new AppError('rate_limited'));
      queues.set(caller, queue);
      return new Promise((resolve, reject) => {
        queue.push(() => inThread(limits, reader, args).then(resolve, reject));
        next();
      });
    },
  };
}

/** Run from the sources, types are stripped by what strips them elsewhere; what is built has none. */
const LOADER = 'tsx/esm/api';

type Answer<Value> =
  { readonly value: Value } | { readonly code: ErrorCode; readonly detail: ErrorDetail } | { readonly thrown: string };

async function inThread<Args extends readonly unknown[], Value>(
  limits: ForeignFileLimits,
  { module, name }: ForeignReader<Args, Value>,
  args: Args,
): Promise<Value> {
  const thread = new Worker(new URL('./foreign-file-thread.js', import.meta.url), {
    workerData: { loader: module.endsWith('.ts') ? LOADER : undefined, module, name, args },
    resourceLimits: { maxOldGenerationSizeMb: limits.megabytes, maxYoungGenerationSizeMb: 16 },
    // It reads what it is given, and nothing of this process.
    env: {},
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Answer<Value>>((resolve, reject) => {
      const tooCostly = (): void => {
        reject(new AppError('file_too_costly'));
      };
      timer = setTimeout(tooCostly, limits.milliseconds);
      thread.once('message', resolve);
      thread.once('error', (error: Error & { code?: string }) => {
        if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') tooCostly();
        else reject(new Error(`${name} could not be started`, { cause: error }));
      });
      thread.once('exit', () => {
        reject(new Error(`${name} ended without an answer`));
      });
    });
    if ('value' in answer) return answer.value;
    throw 'code' in answer ? new AppError(answer.code, answer.detail) : new Error(`${name} failed: ${answer.thrown}`);
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
