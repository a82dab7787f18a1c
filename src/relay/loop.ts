import { setTimeout as delay } from 'node:timers/promises';

export interface Loop {
  /** Lets the running step end. */
  readonly stop: () => Promise<void>;
}

/** Calls `step` again and again until stopped; each call says after how many milliseconds the next one follows. `step` must not throw. */
export function startLoop(step: () => Promise<number>): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const pause = await step();
      if (pause > 0) await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  };
  const ended = run();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
