import type { CancelledBy, CancelReason } from '../domain/appointment.ts';
import { isReminderKind, type NotificationKind } from '../domain/notification.ts';
import { countSmsSegments, inGsmAlphabet, withPlainMarks } from './sms-segments.ts';
import { LANGUAGES, TEXTS, type Language, type Template, type TemplateKey, type Texts } from './templates/templates.ts';

/** What a message is made of. The same facts give the same text, always: a lost answer is settled by looking for the text at the provider. */
export interface MessageFacts {
  readonly kind: NotificationKind;
  readonly clinicName: string;
  /** As it is dialled; the text says "call us" where it is not known. */
  readonly clinicPhone?: string | undefined;
  readonly providerName: string;
  readonly givenName: string;
  readonly confirmationCode: string;
  /** How many visits a notice of a series speaks for: what the SMS says. */
  readonly visits: number;
  /** The starts of the others among them as they are now: the email lists them. It is looked up by its id, so its text may differ. */
  readonly furtherVisits: readonly Date[];
  /** The visit's start; of several, the first one's. */
  readonly plannedFor: Date;
  readonly durationMinutes: number;
  /** For a notice of a change: how the visit stood when the patient was last told of it. */
  readonly before?: VisitAsTold | undefined;
  /** For a notice of a cancelling. */
  readonly cancelled?: Cancelling | undefined;
  /** The clinic's IANA zone: visits are in person. */
  readonly timeZone: string;
  /** The patient's, as a BCP 47 tag; a language without templates reads English. */
  readonly locale: string;
  /** For an offer. */
  readonly offer?: OfferedTime | undefined;
}

export interface VisitAsTold {
  readonly start: Date;
  readonly durationMinutes: number;
  readonly providerName: string;
}

export interface Cancelling {
  readonly by: CancelledBy;
  readonly reason: CancelReason;
  /** The patient waits for another time with the provider. */
  readonly isWaiting: boolean;
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
  const { texts, template, locale } = templateFor(facts);
  const ofVisit = valuesOf(facts, texts, locale, 'short');
  let text = '';
  for (const pattern of [template.sms, ...(template.shortSms === undefined ? [] : [template.shortSms])]) {
    for (const length of NAME_LENGTHS) {
      const names = Object.fromEntries(
        Object.entries(namesOf(facts)).map(([key, name]) => [key, shorten(withPlainMarks(name), length)] as const),
      );
      text = fill(pattern, { ...ofVisit, ...names });
      if (countSmsSegments(text) <= MAX_SMS_SEGMENTS) return text;
    }
  }
  return text;
}

/** The email: subject, plain text, and the same as simple HTML. */
export function renderEmail(facts: MessageFacts): RenderedEmail {
  const { texts, template, locale, language } = templateFor(facts);
  const dates = [facts.plannedFor, ...facts.furtherVisits]
    .map((instant) => formatDate(facts, instant, locale, 'long'))
    .map(({ date, time }) => `${date}, ${time}`)
    .join('\n');
  const values = {
    ...valuesOf(facts, texts, locale, 'long'),
    ...namesOf(facts),
    count: String(1 + facts.furtherVisits.length),
    dates,
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

/** The names in a message, each one line of composed characters. */
function namesOf(facts: MessageFacts): Readonly<Record<string, string>> {
  return {
    name: oneLine(facts.givenName),
    clinic: oneLine(facts.clinicName),
    provider: oneLine(facts.providerName),
    oldProvider: oneLine(facts.before?.providerName ?? ''),
    newProvider: oneLine(facts.offer?.providerName ?? ''),
  };
}

/** All that a template can say but names. */
function valuesOf(
  facts: MessageFacts,
  { phrases }: Texts,
  locale: string,
  length: 'short' | 'long',
): Readonly<Record<string, string>> {
  const { before, offer, clinicPhone: phone } = facts;
  const call = phone === undefined ? phrases.callUs : fill(phrases.callUsAt, { phone });
  const of = (prefix: string, instant: Date | undefined): Readonly<Record<string, string>> => {
    if (instant === undefined) return {};
    const { date, time } = formatDate(facts, instant, locale, length);
    return prefix === '' ? { date, time } : { [`${prefix}Date`]: date, [`${prefix}Time`]: time };
  };
  return {
    ...of('', facts.plannedFor),
    ...of('old', before?.start),
    ...of('new', offer?.start),
    ...of('until', offer?.until),
    code: facts.confirmationCode,
    count: String(facts.visits),
    minutes: String(facts.durationMinutes),
    oldMinutes: String(before?.durationMinutes ?? ''),
    call,
    contact: phone === undefined ? '' : fill(phrases.contact, { phone }),
    next: facts.cancelled?.isWaiting === true ? phrases.onWaitlist : fill(phrases.bookAgain, { call }),
  };
}

function templateFor(facts: MessageFacts): {
  readonly texts: Texts;
  readonly template: Template;
  readonly language: Language;
  readonly locale: string;
} {
  const wanted = facts.locale.split('-', 1)[0]?.toLowerCase();
  const known = LANGUAGES.find((language) => language === wanted);
  const language = known ?? 'en';
  return {
    texts: TEXTS[language],
    template: TEXTS[language][templateKey(facts)],
    language,
    locale: known !== undefined && isLanguageTag(facts.locale) ? facts.locale : language,
  };
}

function isLanguageTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch {
    return false;
  }
}

function templateKey(facts: MessageFacts): TemplateKey {
  const { kind } = facts;
  if (isReminderKind(kind)) return 'reminder';
  switch (kind) {
    case 'confirmation':
      return 'confirmation';
    case 'waitlist_booked':
      return 'waitlistBooked';
    case 'rescheduled':
      return whatChanged(facts);
    case 'cancelled':
      return isPatientsWish(facts.cancelled) ? 'cancelledByPatient' : 'cancelledByClinic';
    case 'series_confirmation':
      return 'seriesConfirmation';
    case 'series_rescheduled':
      return 'seriesRescheduled';
    case 'series_cancelled':
      return isPatientsWish(facts.cancelled) ? 'seriesCancelledByPatient' : 'seriesCancelledByClinic';
    case 'move_offer':
      return 'moveOffer';
  }
}

/** Only what the patient was told before can be said to have changed. */
function whatChanged({ before, plannedFor, providerName, durationMinutes }: MessageFacts): TemplateKey {
  if (before === undefined) return 'changed';
  if (before.start.getTime() !== plannedFor.getTime()) return 'moved';
  if (before.providerName !== providerName) return 'otherProvider';
  return before.durationMinutes === durationMinutes ? 'changed' : 'otherLength';
}

function isPatientsWish(cancelled: Cancelling | undefined): boolean {
  return cancelled?.by === 'patient' || cancelled?.reason === 'patient_request';
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
  const format = (options: Intl.DateTimeFormatOptions) => {
    // Unicode's narrow and no-break spaces would turn the whole SMS into UCS-2, and so would the á of a Spanish Saturday.
    const text = oneLine(new Intl.DateTimeFormat(locale, options).format(instant));
    return length === 'short' ? inGsmAlphabet(text) : text;
  };
  return { date: format(date), time: format(time) };
}

/** One pass, so that a name that looks like a placeholder stays a name. A value that ends with a full stop ends the sentence too. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}(\.(?!\.))?/g, (placeholder, key: string, stop: string | undefined) => {
    const value = values[key];
    if (value === undefined) return placeholder;
    return stop === undefined || value.endsWith('.') ? value : value + stop;
  });
}

function oneLine(text: string): string {
  return text.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
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
