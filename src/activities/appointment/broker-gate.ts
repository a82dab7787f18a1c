import { Context } from '@temporalio/activity';
import { AppError } from '../../domain/errors.ts';

/** How long a message is tried in passing, while an appointment plans: planning never waits longer for the broker. */
const IN_PASSING_MS = 1_000;
/** How often a broker that failed is tried again, by one message at a time. */
const PROBE_EVERY_MS = 1_000;
/** How long a message waits in its slot for the broker; then it waits in its task queue. */
const WAIT_MS = 20_000;
const LOOK_MS = 250;

type Publish = () => Promise<void>;

/** What this process knows of the broker by how its publishes fared. */
export interface BrokerGate {
  /** Publishes if it can be done in passing. Returns whether it was; where it was not, somebody who can wait has to try. */
  readonly inPassing: (publish: Publish) => Promise<boolean>;
  /**
   * Waits until the broker is there, or until it is this one's turn to try, and does the work, which publishes through what it is given.
   * @throws AppError `broker_unavailable` when it does not come back for some time
   */
  readonly patiently: <T>(work: (through: (publish: Publish) => Promise<void>) => Promise<T>) => Promise<T>;
}

export function createBrokerGate(clock: () => number): BrokerGate {
  /** Since when publishing fails. */
  let closedAt: number | undefined;
  let probing = false;

  const through = async (publish: Publish): Promise<void> => {
    try {
      await publish();
      closedAt = undefined;
    } catch (error) {
      if (isBrokerUnavailable(error)) closedAt = clock();
      throw error;
    }
  };

  return {
    async inPassing(publish) {
      if (closedAt !== undefined) return false;
      try {
        await through(() => within(IN_PASSING_MS, publish()));
        return true;
      } catch (error) {
        if (isBrokerUnavailable(error)) return false;
        throw error;
      }
    },

    async patiently(work) {
      const began = clock();
      while (closedAt !== undefined && (probing || clock() - closedAt < PROBE_EVERY_MS)) {
        if (clock() - began > WAIT_MS) throw new AppError('broker_unavailable', { reason: 'away' });
        await Context.current().sleep(LOOK_MS);
      }
      const probes = closedAt !== undefined;
      if (probes) probing = true;
      try {
        return await work(through);
      } finally {
        if (probes) probing = false;
      }
    },
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('broker_unavailable', { reason: 'timeout' })), ms);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function isBrokerUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'broker_unavailable';
}
