import { Runtime } from '@temporalio/worker';

/** What the bridge needs of a logger; pino's satisfies it. */
export interface LogTarget {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/**
 * Sends what the SDK and the workflows log to our logger, which drops what it does not allow. Once a process, before anything else of the SDK's worker
 * is used. Signals are ours: the roles close their parts in order.
 */
export function installTemporalRuntime(logger: LogTarget): Runtime {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta: Record<string | symbol, unknown> = {}): void =>
      logger[level]({ ...meta, event: 'temporal' }, message);
  const levels = { TRACE: 'debug', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  return Runtime.install({
    logger: {
      log: (level, message, meta) => write(levels[level])(message, meta),
      trace: write('debug'),
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    },
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    shutdownSignals: [],
  });
}
