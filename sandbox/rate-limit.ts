import type { Clock } from './context.ts';

/** So many requests in so many milliseconds. */
export interface RateLimitOptions {
  limit: number;
  windowMs: number;
}

/** What is left of the present window. */
export interface RateLimitState {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** When the next window begins, in epoch milliseconds. */
  resetAt: number;
}

/** Counts requests in fixed windows. */
export function createRateLimit(options: RateLimitOptions, clock: Clock): () => RateLimitState {
  let windowStart = -Infinity;
  let used = 0;
  return () => {
    const now = clock().getTime();
    if (now >= windowStart + options.windowMs || now < windowStart) {
      windowStart = now;
      used = 0;
    }
    const allowed = used < options.limit;
    if (allowed) used += 1;
    return { allowed, limit: options.limit, remaining: options.limit - used, resetAt: windowStart + options.windowMs };
  };
}
