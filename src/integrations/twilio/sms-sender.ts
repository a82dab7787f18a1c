import twilio from 'twilio';
import { refused, unanswered } from '../http-failure.ts';

export interface SmsSenderOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** The sender's number, E.164. */
  readonly from: string;
  /** Instead of Twilio's own address. */
  readonly baseUrl?: string | undefined;
  /** Where Twilio reports on a message; it carries our id, so that the first report resolves a lost answer. */
  readonly statusCallbackUrl: (notificationId: string) => string;
  readonly timeoutMs: number;
  /** How old an attempt must be before not finding its message proves that there is none. Default 15 s. */
  readonly absenceProvenAfterMs?: number;
}

export interface Sms {
  readonly notificationId: string;
  readonly to: string;
  readonly body: string;
  /** A message that is still queued at the provider after so long is dropped instead of arriving late. */
  readonly validForSeconds: number;
}

/** An SMS that may have been sent. */
export interface SoughtSms {
  readonly to: string;
  readonly body: string;
  /** When the attempt was begun. */
  readonly since: Date;
  /** Messages that are not the one looked for. */
  readonly notThese: readonly string[];
}

export interface SmsSender {
  /**
   * Sends one SMS. Not idempotent: after a lost answer it must not be called again before {@link SmsSender.find} has said `absent`.
   * @throws AppError `provider_refused` (`detail`: status, providerCode, retryAfterSeconds) or `provider_unavailable` (`detail.sent`: may it have been sent?)
   */
  readonly send: (sms: Sms) => Promise<{ readonly providerMessageId: string }>;
  /** Asks whether a message was taken. `unsure` when the answer is not conclusive. @throws AppError as `send` */
  readonly find: (
    sms: SoughtSms,
  ) => Promise<{ readonly providerMessageId: string } | { readonly found: 'absent' | 'unsure' }>;
}

/** Twilio keeps a message queued for at most ten hours (twilio.com/docs/messaging/api/message-resource#validityperiod). */
const MAX_VALIDITY_SECONDS = 36_000;

/** Twilio repeats a callback that failed only when the URL's fragment asks for it (twilio.com/docs/usage/webhooks/webhooks-connection-overrides). */
const REPEAT_CALLBACKS = '#rc=5&rp=ct,rt,5xx';

/** How far our clock and Twilio's may be apart. Dates there are whole seconds. */
const CLOCK_TOLERANCE_MS = 5_000;

const ABSENCE_PROVEN_AFTER_MS = 15_000;
/** One page at its largest. */
const MAX_LISTED = 1_000;

/** SMS through Twilio's Programmable Messaging. */
export function createSmsSender(options: SmsSenderOptions): SmsSender {
  const { from, statusCallbackUrl, absenceProvenAfterMs = ABSENCE_PROVEN_AFTER_MS } = options;
  const client = twilio(options.accountSid, options.authToken, {
    httpClient: new HttpClient({ timeout: options.timeoutMs }),
  });
  if (options.baseUrl !== undefined) client.api.baseUrl = options.baseUrl;

  return {
    async send({ notificationId, to, body, validForSeconds }) {
      const message = await client.messages.create({
        from,
        to,
        body,
        statusCallback: `${statusCallbackUrl(notificationId)}${REPEAT_CALLBACKS}`,
        validityPeriod: Math.min(MAX_VALIDITY_SECONDS, Math.max(1, Math.floor(validForSeconds))),
      });
      return { providerMessageId: message.sid };
    },
    async find({ to, body, since, notThese }) {
      const earliest = since.getTime() - CLOCK_TOLERANCE_MS;
      // Not by DateSent: a message that is still queued has none, and that filter would pass it over.
      const listed = await client.messages.list({ to, from, limit: MAX_LISTED });
      const message = listed.find(
        (each) => each.body === body && each.dateCreated.getTime() >= earliest && !notThese.includes(each.sid),
      );
      if (message !== undefined) return { providerMessageId: message.sid };
      const isConclusive = listed.length < MAX_LISTED && Date.now() - since.getTime() >= absenceProvenAfterMs;
      return { found: isConclusive ? 'absent' : 'unsure' };
    },
  };
}

/** The SDK's client drops the headers of a refusal, and with them Retry-After. */
class HttpClient extends twilio.RequestClient {
  override async request<TData>(options: Parameters<twilio.RequestClient['request']>[0]) {
    const response = await super.request<TData>(options as never).catch((error: unknown) => {
      throw unanswered(error);
    });
    if (response.statusCode < 400) return response;
    const { code } = (response.body ?? {}) as { code?: unknown };
    const headers = (response.headers ?? {}) as Readonly<Record<string, string | undefined>>;
    throw refused(response.statusCode, {
      providerCode: typeof code === 'number' ? String(code) : undefined,
      retryAfter: headers['retry-after'],
    });
  }
}
