import { AppError } from '../domain/errors.ts';

/** The provider answered, and the answer is no. `detail`: `status`, and where the provider gave them `providerCode` and `retryAfterSeconds`. */
export function refused(
  status: number,
  told: { readonly providerCode?: string | undefined; readonly retryAfter?: string | undefined } = {},
  now: number = Date.now(),
): AppError {
  const seconds = readRetryAfter(told.retryAfter, now);
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

/** The codes of Node's sockets for a connection that was not made. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Seconds or an HTTP date (RFC 9110 §10.2.3). */
function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1_000));
}
