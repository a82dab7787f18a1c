import { parentPort, workerData } from 'node:worker_threads';

/*
 * The first file of the thread in which `foreign-files.ts` has a file read. JavaScript, because a thread's first file is loaded before anything could
 * strip its types.
 */

const { loader, module, name, args } =
  /** @type {{ loader: string | undefined, module: string, name: string, args: unknown[] }} */ (workerData);
if (loader !== undefined) /** @type {{ register(): void }} */ (await import(loader)).register();
const { [name]: read } = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (await import(module));
parentPort?.postMessage(answer());

/** A refusal as data: an error would lose its code on the way between threads. Of any other only the name, as its message may quote the file. */
function answer() {
  try {
    return { value: read?.(...args) };
  } catch (error) {
    const { code, detail } = /** @type {{ code?: unknown, detail?: unknown }} */ (error);
    const thrown = error instanceof Error ? error.name : typeof error;
    return thrown === 'AppError' ? { code, detail } : { thrown };
  }
}
