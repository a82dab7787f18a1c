import { AppError } from '../domain/errors.ts';

/** The provider answered, and the answer is no. `detail`: `status`, and where the provider gave them `providerCode` and `retryAfterSeconds`. */
export function refused(
  status: number,
  told: { readonly providerCode?: string | undefined; readonly retryAfter?: string | undefined } = {},
  now: number = Date.now(),
): AppError {
  const waitMs = readRetryAfter(told.retryAfter, now);
  const seconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1_000);
  return new AppError('provider_refused', {
    status,
    ...(told.providerCode === undefined ? {} : { providerCode: told.providerCode }),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

/**
 * No answer came. `detail.sent` is false only when the request certainly never left: anything later may have been acted on.
 * The vendor's error is not kept as the cause: it holds the request, and with it the patient's number and the text.
 */
export function unanswered(error: unknown): AppError {
  const code = (error as { code?: unknown } | undefined)?.code;
  const reason = typeof code === 'string' ? code : 'unknown';
  return new AppError('provider_unavailable', { sent: !NEVER_SENT.has(reason), reason });
}

/** The codes of Node's sockets, and of its fetch, for a connection that was not made. */
export const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110 §10.2.3). Undefined when it is missing or malformed.
 * @param now - epoch milliseconds
 */
export function readRetryAfter(value: string | null | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
