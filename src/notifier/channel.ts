import type { Channel } from '../domain/notification.ts';
import type { Logger } from '../logger.ts';

/** One message's permission to call the provider. Whoever has it says how that went; the first word counts. */
export interface Turn {
  /** The provider took a message, or refused this one alone. */
  readonly well: () => void;
  /** The provider is in trouble, or does not want to be called for a while. `sure`: no message can be taken; otherwise several in a row must say so. */
  readonly trouble: (about: {
    readonly notificationId: string;
    readonly reason: string;
    readonly sure: boolean;
    readonly retryAfterMs?: number | undefined;
  }) => void;
  /** The provider was not called with a message. */
  readonly untried: () => void;
}

/**
 * The way to one provider, as all messages on it see it. While the provider is in trouble, the channel rests: messages wait where they are, and nothing
 * is held against them. After each rest one of them, the probe, finds out whether it is over; then all go on at once.
 */
export interface ChannelGate {
  /**
   * Waits for a turn; while all is well there is no wait. Undefined after {@link HOLD_MS}: longer, and the broker would take the message back.
   * Rejects when the signal is aborted.
   */
  readonly turn: (signal: AbortSignal) => Promise<Turn | undefined>;
  /** Has the provider taken a message, or refused one alone, since then? Epoch milliseconds. */
  readonly wasWellSince: (instant: number) => boolean;
}

export interface ChannelGateDeps {
  readonly channel: Channel;
  readonly clock: () => number;
  readonly pause: (durationMs: number, signal: AbortSignal) => Promise<void>;
  readonly logger: Pick<Logger, 'info' | 'error'>;
  /** How long the channel rests, where the provider does not ask for longer. */
  readonly restMs: number;
}

/** RabbitMQ takes a message back, and its channel down, after half an hour without an answer (rabbitmq.com/docs/consumers#acknowledgement-timeout). */
const HOLD_MS = 10 * 60_000;

/** So many different messages in a row must fail before an error that may be one message's own is taken for trouble of the channel. */
const TROUBLED_IN_A_ROW = 3;

export function createChannelGate({ channel, clock, pause, logger, restMs }: ChannelGateDeps): ChannelGate {
  let resting: { readonly until: number } | undefined;
  let isProbed = false;
  let wellAt = Number.NEGATIVE_INFINITY;
  const troubled = new Set<string>();
  let news = withResolver();

  function tell(): void {
    const told = news;
    news = withResolver();
    told.resolve();
  }

  function rest(reason: string, durationMs: number): void {
    const until = Math.max(resting?.until ?? 0, clock() + durationMs);
    if (resting === undefined) logger.error({ event: 'channel_rests', channel, reason });
    resting = { until };
  }

  function aTurn(isProbe: boolean): Turn {
    let isOver = false;
    /** Whoever waits for the probe's outcome learns of it. */
    const over = (): void => {
      if (isProbe && !isOver) {
        isProbed = false;
        tell();
      }
      isOver = true;
    };
    return {
      well() {
        wellAt = clock();
        troubled.clear();
        // What was under way before the trouble proves nothing about it.
        if (isProbe) {
          logger.info({ event: 'channel_goes_on', channel });
          resting = undefined;
        }
        over();
      },
      trouble({ notificationId, reason, sure, retryAfterMs = 0 }) {
        troubled.add(notificationId);
        if (sure || isProbe || troubled.size >= TROUBLED_IN_A_ROW) rest(reason, Math.max(restMs, retryAfterMs));
        over();
      },
      untried: over,
    };
  }

  return {
    async turn(signal) {
      const holdUntil = clock() + HOLD_MS;
      for (;;) {
        signal.throwIfAborted();
        if (resting === undefined) return aTurn(false);
        if (clock() >= holdUntil) return undefined;
        const waitMs = resting.until - clock();
        if (waitMs <= 0 && !isProbed) {
          isProbed = true;
          return aTurn(true);
        }
        // While somebody probes, only their news can change anything.
        const heldMs = holdUntil - clock();
        await untilNews(waitMs > 0 ? Math.min(waitMs, heldMs) : heldMs, signal);
      }
    },
    wasWellSince: (instant) => wellAt >= instant,
  };

  async function untilNews(longestMs: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const paused = pause(longestMs, AbortSignal.any([signal, enough.signal])).catch(() => undefined);
    await Promise.race([news.promise, paused]);
    enough.abort();
  }
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
