import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../domain/errors.ts';

/** What is away for the moment and comes back without us. */
const PASSING: ReadonlySet<string> = new Set(['database_unavailable', 'temporarily_unavailable', 'broker_unavailable']);

const PAUSE_MS = 500;

/**
 * Runs `work` until PostgreSQL or the broker is there for it. Holding the message meanwhile is the back-pressure: nothing more is taken up.
 * Gives up, with the last error, when the signal is aborted.
 */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError) || !PASSING.has(error.code) || signal.aborted) throw error;
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
