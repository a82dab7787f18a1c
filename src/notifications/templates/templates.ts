import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';

/** One text for every kind; all reminders share one. */
export type TemplateKey =
  | 'confirmation'
  | 'reminder'
  | 'rescheduled'
  | 'cancelled'
  | 'waitlistBooked'
  | 'seriesConfirmation'
  | 'seriesRescheduled'
  | 'seriesCancelled'
  | 'moveOffer';

/**
 * Placeholders: `{clinic}`, `{provider}`, `{name}` (given name), `{date}`, `{time}`, `{code}`, and in those of a series `{count}` (visits; date, time
 * and code are the first one's) and, in the email, `{dates}` (of all of them, one a line). No specialty, reason or diagnosis has one.
 * Those of an offer have `{newProvider}`, `{newDate}`, `{newTime}`, `{untilDate}`, `{untilTime}` too.
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

export type Templates = Readonly<Record<TemplateKey, Template>>;

export const LANGUAGES = ['en', 'es', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

export const TEMPLATES: Readonly<Record<Language, Templates>> = { en, es, de };
