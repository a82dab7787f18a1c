import type { Redis } from 'ioredis';

/** One decision about one request. */
export interface WindowDecision {
  readonly allowed: boolean;
  /** Requests left in the window, this one counted. */
  readonly remaining: number;
  /** Milliseconds until the oldest counted request leaves the window and makes room. */
  readonly roomInMs: number;
}

export interface WindowSize {
  /** Requests at most in any window. */
  readonly limit: number;
  readonly windowMs: number;
}

/**
 * An exact sliding window: the microsecond of every request that was let through, newest first, in a list that never grows longer than the limit. Time is
 * Redis's own, so that all instances count alike. One script, so that nobody counts in between.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit = tonumber(ARGV[1])
local window = ARGV[2] * 1000
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and tonumber(oldest) <= now - window do
  redis.call('RPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
local used = redis.call('LLEN', KEYS[1])
local allowed = 0
if used < limit then
  redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  used = used + 1
  allowed = 1
end
local first = tonumber(oldest or now)
return { allowed, limit - used, math.ceil((first + window - now) / 1000) }`;

type Command = (
  key: string,
  limit: number,
  windowMs: number,
) => Promise<[allowed: 0 | 1, remaining: number, roomInMs: number]>;

/** Counts in Redis. Rejects when Redis is away or slow. */
export function createRedisWindow(redis: Redis, size: WindowSize, prefix = 'mediconnect:rate:') {
  redis.defineCommand('takeFromSlidingWindow', { numberOfKeys: 1, lua: SCRIPT });
  const scripted = redis as Redis & { readonly takeFromSlidingWindow: Command };
  return async (key: string): Promise<WindowDecision> => {
    const [allowed, remaining, roomInMs] = await scripted.takeFromSlidingWindow(
      `${prefix}${key}`,
      size.limit,
      size.windowMs,
    );
    return { allowed: allowed === 1, remaining, roomInMs };
  };
}
