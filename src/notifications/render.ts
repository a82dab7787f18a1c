import { isReminderKind, type NoticeKind, type NotificationKind } from '../domain/notification.ts';
import { countSmsSegments } from './sms-segments.ts';
import { LANGUAGES, TEMPLATES, type Language, type Template, type TemplateKey } from './templates/templates.ts';

/** What a message is made of. The same facts give the same text, always: a lost answer is settled by looking for the text at the provider. */
export interface MessageFacts {
  readonly kind: NotificationKind;
  readonly clinicName: string;
  readonly providerName: string;
  readonly givenName: string;
  readonly confirmationCode: string;
  /** How many visits a notice of a series speaks for: what the SMS says. */
  readonly visits: number;
  /** The starts of the others among them as they are now: the email lists them. It is looked up by its id, so its text may differ. */
  readonly furtherVisits: readonly Date[];
  /** The visit's start; of several, the first one's. */
  readonly plannedFor: Date;
  /** The clinic's IANA zone: visits are in person. */
  readonly timeZone: string;
  /** The patient's, as a BCP 47 tag; a language without templates reads English. */
  readonly locale: string;
  /** For a move offer. */
  readonly offer?: OfferedTime;
}

/** The time that is held for the patient instead of their own. */
export interface OfferedTime {
  readonly providerName: string;
  readonly start: Date;
  /** Until when it can be answered. */
  readonly until: Date;
}

export interface RenderedEmail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const MAX_SMS_SEGMENTS = 2;
/** Names are cut to the first of these lengths with which the SMS is short enough. */
const NAME_LENGTHS = [100, 60, 40, 30, 24, 18, 12];
/** Three full stops: the character for it is not in the GSM alphabet. */
const ELLIPSIS = '...';

/** The SMS, at most two segments long. */
export function renderSms(facts: MessageFacts): string {
  const { template, locale } = templateFor(facts);
  const when = {
    ...formatDate(facts, facts.plannedFor, locale, 'short'),
    ...formatOffer(facts, locale, 'short'),
    code: facts.confirmationCode,
    count: String(facts.visits),
    name: oneLine(facts.givenName),
  };
  let text = '';
  for (const pattern of [template.sms, ...(template.shortSms === undefined ? [] : [template.shortSms])]) {
    for (const length of NAME_LENGTHS) {
      text = fill(pattern, {
        ...when,
        clinic: shorten(oneLine(facts.clinicName), length),
        provider: shorten(oneLine(facts.providerName), length),
        newProvider: shorten(oneLine(facts.offer?.providerName ?? ''), length),
      });
      if (countSmsSegments(text) <= MAX_SMS_SEGMENTS) return text;
    }
  }
  return text;
}

/** The email: subject, plain text, and the same as simple HTML. */
export function renderEmail(facts: MessageFacts): RenderedEmail {
  const { template, locale, language } = templateFor(facts);
  const values = {
    ...formatDate(facts, facts.plannedFor, locale, 'long'),
    ...formatOffer(facts, locale, 'long'),
    code: facts.confirmationCode,
    count: String(1 + facts.furtherVisits.length),
    dates: [facts.plannedFor, ...facts.furtherVisits]
      .map((instant) => formatDate(facts, instant, locale, 'long'))
      .map(({ date, time }) => `${date}, ${time}`)
      .join('\n'),
    name: oneLine(facts.givenName),
    clinic: oneLine(facts.clinicName),
    provider: oneLine(facts.providerName),
    newProvider: oneLine(facts.offer?.providerName ?? ''),
  };
  const subject = fill(template.subject, { ...values, ...formatDate(facts, facts.plannedFor, locale, 'short') });
  const paragraphs = template.email.map((paragraph) => fill(paragraph, values));
  const body = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll('\n', '<br>')}</p>`).join('\n');
  return {
    subject,
    text: paragraphs.join('\n\n'),
    html: `<!doctype html>\n<html lang="${language}"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head><body>\n${body}\n</body></html>`,
  };
}

function templateFor(facts: MessageFacts): {
  readonly template: Template;
  readonly language: Language;
  readonly locale: string;
} {
  const wanted = facts.locale.split('-', 1)[0]?.toLowerCase();
  const language = LANGUAGES.find((known) => known === wanted);
  return {
    template: TEMPLATES[language ?? 'en'][templateKey(facts.kind)],
    language: language ?? 'en',
    locale: language !== undefined && isLanguageTag(facts.locale) ? facts.locale : (language ?? 'en'),
  };
}

function isLanguageTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch {
    return false;
  }
}

const TEMPLATE_OF: Readonly<Record<NoticeKind, TemplateKey>> = {
  confirmation: 'confirmation',
  rescheduled: 'rescheduled',
  cancelled: 'cancelled',
  waitlist_booked: 'waitlistBooked',
  series_confirmation: 'seriesConfirmation',
  series_rescheduled: 'seriesRescheduled',
  series_cancelled: 'seriesCancelled',
};

function templateKey(kind: NotificationKind): TemplateKey {
  if (isReminderKind(kind)) return 'reminder';
  return kind === 'move_offer' ? 'moveOffer' : TEMPLATE_OF[kind];
}

function formatDate(
  { timeZone }: MessageFacts,
  instant: Date,
  locale: string,
  length: 'short' | 'long',
): { readonly date: string; readonly time: string } {
  const base = { timeZone, calendar: 'gregory', numberingSystem: 'latn' } as const;
  const date: Intl.DateTimeFormatOptions =
    length === 'short'
      ? { ...base, weekday: 'short', day: 'numeric', month: 'short' }
      : { ...base, weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' };
  const time: Intl.DateTimeFormatOptions = { ...base, hour: 'numeric', minute: '2-digit' };
  const format = (options: Intl.DateTimeFormatOptions) =>
    // Unicode's narrow and no-break spaces would turn the whole SMS into UCS-2.
    oneLine(new Intl.DateTimeFormat(locale, options).format(instant));
  return { date: format(date), time: format(time) };
}

function formatOffer(facts: MessageFacts, locale: string, length: 'short' | 'long'): Readonly<Record<string, string>> {
  if (facts.offer === undefined) return {};
  const start = formatDate(facts, facts.offer.start, locale, length);
  const until = formatDate(facts, facts.offer.until, locale, length);
  return { newDate: start.date, newTime: start.time, untilDate: until.date, untilTime: until.time };
}

/** One pass, so that a name that looks like a placeholder stays a name. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (placeholder, key: string) => values[key] ?? placeholder);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

/** Cuts to so many UTF-16 units, which is how UCS-2 counts, without splitting a character. */
function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > length - ELLIPSIS.length) break;
    kept += character;
  }
  return kept.trimEnd() + ELLIPSIS;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
