import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/**
 * What may be logged, in one place: ids, codes, counts and instants by allow-list. A field that is not listed here is dropped, so a row or a body
 * logged by mistake leaves no patient data; errors are logged by name, code and stack frames, never by message (drivers put values into messages).
 */
const ALLOWED = new Set([
  ...[
    'role',
    'event',
    'code',
    'codes',
    'outcome',
    'reason',
    'state',
    'status',
    'kind',
    'channel',
    'attempt',
    'attempts',
    'count',
    'counts',
    'limit',
    'version',
  ],
  ...[
    'requestId',
    'reqId',
    'route',
    'method',
    'statusCode',
    'responseTime',
    'durationMs',
    'lagMs',
    'address',
    'port',
    'url',
    'queue',
    'signal',
  ],
  ...[
    'clinicId',
    'providerId',
    'appointmentId',
    'notificationId',
    'entryId',
    'roundId',
    'replayId',
    'runId',
    'outboxId',
    'aggregate',
    'aggregateId',
  ],
  ...[
    'workflowId',
    'workflowType',
    'activityType',
    'runStatus',
    'namespace',
    'taskQueue',
    'activityId',
    'isLocal',
    'sdkComponent',
    'dependency',
  ],
  ...['err', 'error', 'migrations', 'pending', 'level', 'time', 'pid', 'msg', 'providerCode', 'problems', 'caller'],
]);

/** One logger per process: JSON lines on stdout, or on `destination`. */
export function createLogger(
  options: { readonly level: string; readonly role: string },
  destination?: DestinationStream,
): Logger {
  const settings = {
    level: options.level,
    base: { role: options.role, pid: process.pid },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) =>
        Object.fromEntries(
          Object.entries(fields)
            .filter(([key]) => ALLOWED.has(key))
            .map(([key, value]) => [key, safe(key, value)]),
        ),
    },
    serializers: { err: (value: unknown) => value, error: (value: unknown) => value },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

function safe(key: string, value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  if ((key === 'err' || key === 'error') && typeof value === 'object' && value !== null)
    return describeError(value as Error);
  return value;
}

/** The name, the code and where: everything an operator needs that cannot hold a value. */
function describeError(error: Error & { code?: unknown; cause?: unknown }): Record<string, unknown> {
  return {
    name: error.name,
    ...(error.code === undefined ? {} : { code: error.code }),
    at: (error.stack ?? '')
      .split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 8)
      .map((line) => line.trim()),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}
