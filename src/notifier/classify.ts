import { AppError } from '../domain/errors.ts';
import type { Channel } from '../domain/notification.ts';
import { failureReason } from '../notifications/ledger/reports.ts';

/**
 * What to do after a provider's error. `permanent`: this message will never be taken. `later`: this message later. `channel_later`: no message is taken
 * for now, so it is nothing against this one, which was certainly not sent. `stop`: nothing on this channel will be taken until a person has put it
 * right. `unknown`: it may have been sent, and the provider is in trouble.
 */
export type ErrorClass = 'permanent' | 'later' | 'channel_later' | 'stop' | 'unknown';

/**
 * By the provider's own code, where that says more than the HTTP status. Twilio: twilio.com/docs/api/errors; it adds codes without notice, so an
 * unknown one goes by its status. SendGrid has no codes. What Twilio says later, of a message that it has taken, is in `notifications/channels.ts`.
 */
const CLASS_BY_CODE: Readonly<Record<Channel, Readonly<Record<string, ErrorClass>>>> = {
  sms: {
    // The recipient: not a number, not reachable from here, not a mobile, has opted out.
    21211: 'permanent',
    21214: 'permanent',
    21217: 'permanent',
    21265: 'permanent',
    21266: 'permanent',
    21408: 'permanent',
    21604: 'permanent',
    21610: 'permanent',
    21612: 'permanent',
    21614: 'permanent',
    // The text: empty or too long.
    21602: 'permanent',
    21617: 'permanent',
    // Too many at once: rate, queue of the sender.
    20429: 'channel_later',
    21611: 'channel_later',
    30001: 'later',
    // Our account or number: wrong credentials, not active, suspended, not found, sender missing or not ours.
    20003: 'stop',
    20005: 'stop',
    20404: 'stop',
    21212: 'stop',
    21603: 'stop',
    21606: 'stop',
    21659: 'stop',
    21660: 'stop',
    // Twilio warns that the message may have been sent (twilio.com/docs/api/errors/20500).
    20500: 'unknown',
    20503: 'unknown',
  },
  email: {},
};

/** By HTTP status: the first range that holds it. */
const CLASS_BY_STATUS: readonly { readonly from: number; readonly to: number; readonly class: ErrorClass }[] = [
  { from: 401, to: 401, class: 'stop' },
  { from: 403, to: 405, class: 'stop' },
  { from: 408, to: 408, class: 'unknown' },
  { from: 429, to: 429, class: 'channel_later' },
  { from: 400, to: 499, class: 'permanent' },
  { from: 500, to: 599, class: 'unknown' },
];

export interface Verdict {
  readonly class: ErrorClass;
  /** A code for the ledger and the dead-letter queue. */
  readonly reason: string;
  /** The provider asked not to be called again before. */
  readonly retryAfterMs?: number;
}

/** Judges what a sender threw. What no sender throws on purpose may have happened after the message left: `unknown`. */
export function classify(channel: Channel, error: unknown): Verdict {
  if (!(error instanceof AppError)) return { class: 'unknown', reason: 'unexpected_error' };
  const { status, providerCode, retryAfterSeconds, sent } = error.detail;
  if (error.code === 'provider_unavailable') {
    return sent === false
      ? { class: 'channel_later', reason: failureReason(channel, 'unreachable') }
      : { class: 'unknown', reason: failureReason(channel, 'no_answer') };
  }
  if (error.code !== 'provider_refused' || typeof status !== 'number') {
    return { class: 'unknown', reason: 'unexpected_error' };
  }
  const byCode = typeof providerCode === 'string' ? CLASS_BY_CODE[channel][providerCode] : undefined;
  const byStatus = CLASS_BY_STATUS.find(({ from, to }) => from <= status && status <= to)?.class;
  return {
    class: byCode ?? byStatus ?? 'unknown',
    reason: failureReason(channel, typeof providerCode === 'string' ? providerCode : `http_${status}`),
    ...(typeof retryAfterSeconds === 'number' ? { retryAfterMs: retryAfterSeconds * 1_000 } : {}),
  };
}
