import type { Email } from './email.ts';

/**
 * Reads a query of the Email Activity API: conditions joined by AND.
 * Supported: from_email, to_email, subject, status and msg_id with = or LIKE, and unique_args['name'].
 * Source: twilio.com/docs/sendgrid/for-developers/sending-email/getting-started-email-activity-api.
 * @returns a test for emails, or undefined for a query that cannot be read.
 */
export function readActivityQuery(query: string): ((email: Email) => boolean) | undefined {
  const conditions = query.trim() === '' ? [] : query.split(/\s+AND\s+/i).map(readCondition);
  if (conditions.includes(undefined)) return undefined;
  return (email) => conditions.every((condition) => condition?.(email));
}

const CONDITION = /^\(?\s*(\w+)(?:\[\s*(['"])(.+?)\2\s*\])?\s*(=|\sLIKE\s)\s*(['"])(.*)\5\s*\)?$/i;

function readCondition(text: string): ((email: Email) => boolean) | undefined {
  const [, field = '', , key, operator = '', , value = ''] = CONDITION.exec(text.trim()) ?? [];
  const read = key === undefined ? FIELDS[field] : field === 'unique_args' ? uniqueArg(key) : undefined;
  if (!read) return undefined;
  if (operator === '=') return (email) => read(email) === value;
  const prefix = value.replace(/%$/, '');
  return (email) => (value.endsWith('%') ? (read(email) ?? '').startsWith(prefix) : read(email) === value);
}

function uniqueArg(key: string): (email: Email) => string | undefined {
  return (email) => email.customArgs[key];
}

const FIELDS: Record<string, (email: Email) => string | undefined> = {
  from_email: (email) => email.from,
  to_email: (email) => email.to,
  subject: (email) => email.subject,
  status: activityStatus,
  msg_id: (email) => email.messageId,
};

function activityStatus(email: Email): string {
  return email.status === 'bounced' || email.status === 'dropped' ? 'not_delivered' : email.status;
}

/** An email as the Email Activity API lists it. */
export function renderActivity(email: Email) {
  return {
    from_email: email.from,
    msg_id: email.messageId,
    subject: email.subject,
    to_email: email.to,
    status: activityStatus(email),
    opens_count: 0,
    clicks_count: 0,
    last_event_time: email.updatedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
}

/** An email with its events, as the Email Activity API shows one. */
export function renderActivityDetail(email: Email) {
  return {
    ...renderActivity(email),
    unique_args: JSON.stringify(email.customArgs),
    categories: [...email.categories],
    events: email.events.map(({ event, at }) => ({
      event_name: event === 'bounce' ? 'bounced' : event,
      processed: at.toISOString().replace(/\.\d+Z$/, 'Z'),
      ...(email.reason === undefined ? {} : { reason: email.reason }),
    })),
  };
}
