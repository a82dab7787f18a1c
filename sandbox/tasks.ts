import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Work that goes on after an answer was sent: deliveries, webhooks. */
export interface Tasks {
  /** Starts work. Its failure is swallowed when it was stopped, and thrown otherwise. */
  run(work: (signal: AbortSignal) => Promise<void>): void;
  /** Stops everything that is under way. New work may be started afterwards. */
  stop(): void;
}

/** Creates an empty set of tasks. */
export function createTasks(): Tasks {
  let controller = createController();
  return {
    run(work) {
      const { signal } = controller;
      work(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
    stop() {
      controller.abort();
      controller = createController();
    },
  };
}

/** Every message under way listens to it, however many there are. */
function createController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Waits for so many milliseconds; rejects as soon as the signal is aborted. */
export async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal });
}

/** Waits for so many milliseconds or until the signal is aborted, whichever comes first. */
export async function waitAtMost(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
