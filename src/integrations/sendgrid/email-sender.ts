import { Client } from '@sendgrid/client';
import { MailService } from '@sendgrid/mail';
import { AppError } from '../../domain/errors.ts';
import { refused, unanswered } from '../http-failure.ts';

export interface EmailSenderOptions {
  readonly apiKey: string;
  /** The sender's address. */
  readonly from: string;
  /** Instead of SendGrid's own address. */
  readonly baseUrl?: string | undefined;
  readonly timeoutMs: number;
  /** How old an attempt must be before not finding its email proves that there is none: the activity feed lags. Default 5 min. */
  readonly absenceProvenAfterMs?: number;
}

export interface Email {
  readonly notificationId: string;
  readonly clinicId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface EmailSender {
  /**
   * Sends one email. Not idempotent: after a lost answer it must not be called again before {@link EmailSender.find} has said `absent`.
   * @throws AppError `provider_refused` (`detail`: status, retryAfterSeconds) or `provider_unavailable` (`detail.sent`: may it have been sent?)
   */
  readonly send: (email: Email) => Promise<{ readonly providerMessageId: string }>;
  /**
   * Asks whether an email was taken, through the Email Activity API, which an account pays for: without it every answer is `unsure`.
   * @throws AppError as `send`
   */
  readonly find: (sought: {
    readonly notificationId: string;
    /** When the attempt was begun. */
    readonly since: Date;
    /** Emails that are not the one looked for. */
    readonly notThese: readonly string[];
  }) => Promise<{ readonly providerMessageId: string } | { readonly found: 'absent' | 'unsure' }>;
}

const ABSENCE_PROVEN_AFTER_MS = 5 * 60_000;
const MAX_LISTED = 100;

/** Email through SendGrid's v3 Mail Send. */
export function createEmailSender(options: EmailSenderOptions): EmailSender {
  const { from, absenceProvenAfterMs = ABSENCE_PROVEN_AFTER_MS } = options;
  const client = new Client();
  client.setApiKey(options.apiKey);
  // After the key: setting the key puts SendGrid's own address back.
  if (options.baseUrl !== undefined) client.setDefaultRequest('baseUrl', options.baseUrl);
  const mail = new MailService();
  mail.setClient(client);
  mail.setTimeout(options.timeoutMs);

  return {
    async send({ notificationId, clinicId, to, subject, text, html }) {
      const [response] = await mail
        .send({
          from,
          to,
          subject,
          text,
          html,
          // Ids only: they come back with every event.
          customArgs: { notificationId, clinicId },
          // Links and pictures of the provider's would tell it who reads what.
          trackingSettings: { clickTracking: { enable: false }, openTracking: { enable: false } },
        })
        .catch(translate);
      const providerMessageId = (response.headers as Readonly<Record<string, string | undefined>>)['x-message-id'];
      if (providerMessageId === undefined)
        throw new AppError('provider_unavailable', { sent: true, reason: 'no_message_id' });
      return { providerMessageId };
    },
    async find({ notificationId, since, notThese }) {
      const [response] = await client
        .request({
          method: 'GET',
          url: '/v3/messages',
          qs: { query: `unique_args['notificationId']="${notificationId}"`, limit: MAX_LISTED },
        })
        .catch(translate);
      const listed = (response.body as { readonly messages?: readonly { readonly msg_id: string }[] }).messages;
      const isOther = (id: string) => notThese.some((other) => id === other || id.startsWith(`${other}.`));
      const message = listed?.find(({ msg_id }) => !isOther(msg_id));
      if (message !== undefined) return { providerMessageId: message.msg_id };
      const isConclusive =
        listed !== undefined && listed.length < MAX_LISTED && Date.now() - since.getTime() >= absenceProvenAfterMs;
      return { found: isConclusive ? 'absent' : 'unsure' };
    },
  };
}

function translate(error: unknown): never {
  const { code, response } = error as {
    code?: unknown;
    response?: { headers?: Readonly<Record<string, string | undefined>> };
  };
  if (response === undefined || typeof code !== 'number') throw unanswered(error);
  const { 'retry-after': retryAfter, 'x-ratelimit-reset': resetsAt } = response.headers ?? {};
  throw refused(code, { retryAfter: retryAfter ?? (code === 429 ? secondsUntil(resetsAt) : undefined) });
}

/**
 * SendGrid's 429 tells in seconds of the epoch when its limit is lifted
 * (twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits).
 */
function secondsUntil(epochSeconds: string | undefined): string | undefined {
  if (epochSeconds === undefined || !/^\d{1,12}$/.test(epochSeconds)) return undefined;
  return String(Math.max(0, Math.ceil(Number(epochSeconds) - Date.now() / 1_000)));
}
