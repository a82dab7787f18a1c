import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';

/**
 * One text for everything that can be said; all reminders share one. Of a change there is one for what has changed, and `changed` where it is not known
 * what the patient was told before; of a cancelling, one for who wanted it.
 */
export const TEMPLATE_KEYS = [
  'confirmation',
  'reminder',
  'changed',
  'moved',
  'otherProvider',
  'otherLength',
  'cancelledByPatient',
  'cancelledByClinic',
  'waitlistBooked',
  'seriesConfirmation',
  'seriesRescheduled',
  'seriesCancelledByPatient',
  'seriesCancelledByClinic',
  'moveOffer',
] as const;
export type TemplateKey = (typeof TEMPLATE_KEYS)[number];

/**
 * Placeholders: `{clinic}`, `{provider}`, `{name}` (given name), `{date}`, `{time}`, `{code}`, `{call}` (how to reach the clinic) and, in those of a
 * series, `{count}` (visits; date, time and code are the first one's) and, in the email, `{dates}` (of all of them, one a line). Those of a change have
 * `{oldDate}`, `{oldTime}`, `{oldProvider}`, `{minutes}`, `{oldMinutes}`; those of a cancelling `{next}`, what the patient can do; those of an offer
 * `{newProvider}`, `{newDate}`, `{newTime}`, `{untilDate}`, `{untilTime}`. No specialty, reason or diagnosis has one.
 */
export interface Template {
  /** At most two SMS however long the names are: avoid letters outside the GSM alphabet (most accented capitals, á í ó ú, “ ” …). */
  readonly sms: string;
  /** What is sent where `sms` would be too long even with short names. */
  readonly shortSms?: string;
  readonly subject: string;
  /** The paragraphs of the email. */
  readonly email: readonly string[];
}

/** What texts share: `{call}` and `{next}` are made of these, and of `{phone}`, the clinic's. */
export interface Phrases {
  /** Where the clinic's phone is not known. */
  readonly callUs: string;
  readonly callUsAt: string;
  readonly contact: string;
  readonly bookAgain: string;
  readonly onWaitlist: string;
}

export type Texts = Readonly<Record<TemplateKey, Template>> & { readonly phrases: Phrases };

export const LANGUAGES = ['en', 'es', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

export const TEXTS: Readonly<Record<Language, Texts>> = { en, es, de };
