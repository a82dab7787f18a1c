import { pino, type ChildLoggerOptions, type DestinationStream, type Logger, type LoggerOptions } from 'pino';

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
    'port',
    'adminPort',
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
  const settings: LoggerOptions = {
    level: options.level,
    base: { role: options.role, pid: process.pid },
    formatters: { level: (label) => ({ level: label }), log: allowedOf },
    serializers: { err: (value: unknown) => value, error: (value: unknown) => value },
    hooks: {
      logMethod(args, method) {
        method.apply(this, repeatsErrorMessage(args) ? [args[0], 'error'] : args);
      },
    },
  };
  const logger = destination === undefined ? pino(settings) : pino(settings, destination);
  // pino's formatters do not see a child's bindings. Children inherit this method.
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on its logger
  const plainChild: (this: Logger, bindings: object, options?: ChildLoggerOptions) => Logger = logger.child;
  return Object.assign(logger, {
    child(this: Logger, bindings: object, options?: ChildLoggerOptions) {
      return plainChild.call(this, allowedOf(bindings), options);
    },
  });
}

/** Without a text pino takes the error's message as the text, and some callers give it themselves. */
function repeatsErrorMessage([first, text]: readonly unknown[]): boolean {
  const error = first instanceof Error ? first : (first as { err?: unknown } | null | undefined)?.err;
  const message = (error as { message?: unknown } | null | undefined)?.message;
  if (typeof message !== 'string' || message === '') return false;
  return text === undefined || (typeof text === 'string' && text.includes(message));
}

function allowedOf(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([key]) => ALLOWED.has(key))
      .map(([key, value]) => [key, safe(key, value)]),
  );
}

function safe(key: string, value: unknown): unknown {
  if (value instanceof Error || key === 'err' || key === 'error') return describeError(value);
  if (Array.isArray(value)) return value.map((each) => safe(key, each));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (key === 'counts') return Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === 'number'));
  return allowedOf(value);
}

/** The name, the code and where: everything an operator needs that cannot hold a value. */
function describeError(thrown: unknown): Record<string, unknown> {
  if (typeof thrown !== 'object' || thrown === null) return { name: typeof thrown };
  const { name, code, message, stack, cause } = thrown as Partial<Record<keyof Error | 'code', unknown>>;
  const text = typeof stack === 'string' ? stack : '';
  const frames =
    typeof message === 'string' && text.includes(message) ? text.slice(text.indexOf(message) + message.length) : text;
  return {
    name: typeof name === 'string' ? name : 'Error',
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    at: frames
      .split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 8)
      .map((line) => line.trim()),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}
