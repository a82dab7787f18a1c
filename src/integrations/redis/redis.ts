import { Redis } from 'ioredis';

export interface RedisOptions {
  readonly url: string;
  /** Shown in `CLIENT LIST`. */
  readonly name: string;
  /** Told of every lost or refused connection; reconnecting goes on by itself. */
  readonly onError?: (error: Error) => void;
}

/**
 * A connection that fails fast: an answer within a second or an error (whoever cannot wait so long stops waiting), nothing queued while Redis is away
 * and nothing sent twice. The client's own settings would turn "Redis is away" into requests that hang, and count a request twice after a reconnect.
 */
export function createRedis(options: RedisOptions): Redis {
  const redis = new Redis(options.url, {
    connectionName: options.name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_000,
    connectTimeout: 2_000,
    socketTimeout: 5_000,
    keepAlive: 10_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
  });
  redis.on('error', (error) => options.onError?.(error));
  return redis;
}

/** Does Redis answer? */
export async function pingRedis(redis: Redis): Promise<boolean> {
  try {
    await redis.ping();
    return true;
  } catch {
    return false;
  }
}
