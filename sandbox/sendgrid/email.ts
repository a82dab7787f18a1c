import { randomBytes } from 'node:crypto';
import type { DeliveredMessage } from '../delivered-message.ts';
import type { Mail, Personalization } from './mail-schema.ts';
import type { WebhookAttempt } from '../webhook.ts';

/** The statuses of the Email Activity API, with `bounced` and `dropped` told apart. */
export type EmailStatus = 'processed' | 'delivered' | 'bounced' | 'dropped';

/** One email to one recipient as the stand-in stores it. */
export interface Email {
  /** sg_message_id: it begins with the X-Message-Id of the request. */
  messageId: string;
  from: string;
  to: string;
  subject: string;
  text: string;
  html?: string;
  categories: readonly string[];
  customArgs: Record<string, string>;
  status: EmailStatus;
  reason?: string;
  /** When it may go out: later than its creation when it was scheduled. */
  sendAt: Date;
  createdAt: Date;
  updatedAt: Date;
  deliveredAt?: Date;
  events: { event: string; at: Date }[];
  webhooks: WebhookAttempt[];
}

/** A new X-Message-Id. */
export function newRequestId(): string {
  return randomBytes(16).toString('base64url');
}

/** One email for each recipient of the request. */
export function emailsOf(mail: Mail, requestId: string, now: Date): Email[] {
  return mail.personalizations.flatMap((personalization) => {
    const { to, cc = [], bcc = [] } = personalization;
    return [...to, ...cc, ...bcc].map(({ email }) => emailTo(email, mail, personalization, requestId, now));
  });
}

function emailTo(to: string, mail: Mail, personalization: Personalization, requestId: string, now: Date): Email {
  const part = (type: string) => mail.content?.find((content) => content.type === type)?.value;
  const replace = (text: string) =>
    Object.entries(personalization.substitutions ?? {}).reduce(
      (result, [tag, value]) => result.replaceAll(tag, value),
      text,
    );
  const html = part('text/html');
  const sendAt = (personalization.send_at ?? mail.send_at ?? 0) * 1_000;
  return {
    messageId: `${requestId}.recvd-${randomBytes(5).toString('hex')}-1-${randomBytes(4).toString('hex').toUpperCase()}-1.0`,
    from: (personalization.from ?? mail.from).email,
    to,
    subject: replace(personalization.subject ?? mail.subject ?? ''),
    text: replace(part('text/plain') ?? stripTags(html ?? '')),
    categories: mail.categories ?? [],
    customArgs: { ...mail.custom_args, ...personalization.custom_args },
    status: 'processed',
    sendAt: new Date(Math.max(sendAt, now.getTime())),
    createdAt: now,
    updatedAt: now,
    events: [],
    webhooks: [],
    ...(html === undefined ? {} : { html: replace(html) }),
  };
}

function stripTags(html: string): string {
  return html
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, '')
    .replace(/<(br|\/p|\/div|\/h\d|\/li|\/tr)\b[^>]*>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** The email as the inbox shows it. */
export function showEmail(email: Email): DeliveredMessage {
  return {
    channel: 'email',
    direction: 'outbound',
    id: email.messageId,
    from: email.from,
    to: email.to,
    subject: email.subject,
    text: email.text,
    status: email.status,
    createdAt: email.createdAt.toISOString(),
    updatedAt: email.updatedAt.toISOString(),
    customArgs: { ...email.customArgs },
    webhooks: [...email.webhooks],
    ...(email.html === undefined ? {} : { html: email.html }),
    ...(email.reason === undefined ? {} : { errorCode: email.reason }),
    ...(email.deliveredAt === undefined
      ? {}
      : { sentAt: email.deliveredAt.toISOString(), deliveredAt: email.deliveredAt.toISOString() }),
  };
}
