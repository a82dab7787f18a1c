import type { FastifyReply } from 'fastify';
import type { WindowDecision, WindowSize } from '../integrations/redis/sliding-window.ts';
import { RequestError } from './problem.ts';

/** Counts one request of `key` and decides about it. */
export type RateLimiter = (key: string) => Promise<WindowDecision>;

/** The shared counter answers within this, or it is slow. */
const SHARED_MS = 100;

/** After a failure the shared counter is left alone for this long, so that a frozen one does not cost every request its time-out. */
const SHARED_PAUSE_MS = 1_000;

/**
 * Limits by the counter that all instances share and, when it is away or slow, by this process's own, with the same window. The own one counts whatever this
 * process lets through, so that losing the shared counter gives nobody a second helping here.
 */
export function createRateLimiter(options: {
  readonly size: WindowSize;
  readonly shared: RateLimiter;
  /** How long the shared counter may take. */
  readonly sharedMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  readonly onSharedLost?: (error: unknown) => void;
}): RateLimiter {
  const now = options.now ?? (() => performance.now());
  const own = createOwnWindow(options.size, now);
  let askSharedFrom = -Infinity;
  return async (key) => {
    const seen = own.look(key);
    if (!seen.allowed) return seen;
    // Stamped before the shared counter stamps it: what that allows again is never still too early here.
    const at = now();
    if (at >= askSharedFrom) {
      try {
        const decision = await inTime(options.shared(key), options.sharedMs ?? SHARED_MS);
        if (decision.allowed) own.count(key, at);
        return decision;
      } catch (error) {
        askSharedFrom = now() + SHARED_PAUSE_MS;
        options.onSharedLost?.(error);
      }
    }
    const decision = own.look(key);
    if (decision.allowed) own.count(key, now());
    return decision;
  };
}

/**
 * The answer, unless it takes longer. When the time is up, what has arrived by then is read first: this process may have been the slow one, and would
 * else stop counting with the others whenever it is busy.
 */
async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => setImmediate(reject, new Error('the shared counter is slow')), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Keys remembered at most: beyond it the one that was new first is forgotten. */
const MAX_KEYS = 50_000;

/** The exact sliding window of one process. */
function createOwnWindow({ limit, windowMs }: WindowSize, now: () => number) {
  const counted = new Map<string, number[]>();
  const live = (key: string): number[] => {
    const times = counted.get(key) ?? [];
    const from = now() - windowMs;
    const expired = times.findIndex((time) => time > from);
    if (expired !== 0) times.splice(0, expired === -1 ? times.length : expired);
    return times;
  };
  return {
    /** What would be decided; counts nothing. */
    look(key: string): WindowDecision {
      const times = live(key);
      const allowed = times.length < limit;
      return {
        allowed,
        remaining: Math.max(limit - times.length - 1, 0),
        roomInMs: Math.ceil((times[0] ?? now()) + windowMs - now()),
      };
    },
    count(key: string, at: number): void {
      const times = live(key);
      times.push(at);
      if (!counted.has(key)) {
        if (counted.size >= MAX_KEYS) forgetOne(counted, now() - windowMs);
        counted.set(key, times);
      }
    },
  };
}

function forgetOne(counted: Map<string, number[]>, from: number): void {
  for (const [key, times] of counted) if ((times.at(-1) ?? 0) <= from) counted.delete(key);
  const [first] = counted.keys();
  if (counted.size >= MAX_KEYS && first !== undefined) counted.delete(first);
}

/**
 * Tells the client how it stands (IETF draft-ietf-httpapi-ratelimit-headers, `RateLimit` and `RateLimit-Policy`).
 * @throws RequestError `rate_limited` with `Retry-After`
 */
export async function enforceRateLimit(
  reply: FastifyReply,
  limiter: RateLimiter,
  size: WindowSize,
  policy: 'user' | 'address',
  key: string,
): Promise<void> {
  const decision = await limiter(`${policy}:${key}`);
  const seconds = Math.max(Math.ceil(decision.roomInMs / 1_000), 1);
  void reply.header('ratelimit-policy', `"${policy}";q=${size.limit};w=${size.windowMs / 1_000}`);
  void reply.header('ratelimit', `"${policy}";r=${decision.remaining};t=${seconds}`);
  if (!decision.allowed) throw new RequestError('rate_limited', { headers: { 'retry-after': String(seconds) } });
}
