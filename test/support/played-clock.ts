/** A clock that stands still until somebody plays it on: waiting takes no time, and what is due comes in its order. */
export interface PlayedClock {
  readonly now: () => number;
  readonly pause: (durationMs: number, signal?: AbortSignal) => Promise<void>;
  /** Plays on to the next instant for which somebody waits. Returns false when nobody does. */
  readonly next: () => boolean;
}

export function playedClock(startsAt: number): PlayedClock {
  let now = startsAt;
  const waiting = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => now,
    pause: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        const aborted = () => {
          waiting.delete(entry);
          reject(signal?.reason as Error);
        };
        const entry = {
          at: now + durationMs,
          wake: () => {
            signal?.removeEventListener('abort', aborted);
            resolve();
          },
        };
        waiting.add(entry);
        if (signal?.aborted === true) aborted();
        else signal?.addEventListener('abort', aborted, { once: true });
      }),
    next: () => {
      const at = Math.min(...[...waiting].map((each) => each.at));
      if (!Number.isFinite(at)) return false;
      now = Math.max(now, at);
      for (const each of waiting) {
        if (each.at > now) continue;
        waiting.delete(each);
        each.wake();
      }
      return true;
    },
  };
}
