import { Compile } from 'typebox/compile';
import { fieldError } from './errors.ts';
import { MailSchema } from './mail-schema.ts';
import type { Mail, Personalization } from './mail-schema.ts';
import type { SendGridError } from './errors.ts';

const validator = Compile(MailSchema);
type SchemaError = ReturnType<typeof validator.Errors>[number];

/** A practical reading of RFC 5321: SendGrid refuses unusual addresses too. */
const EMAIL =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;

const MAX_RECIPIENTS = 1_000;
/** All custom arguments of one recipient together, in bytes. */
const MAX_CUSTOM_ARGS_BYTES = 10_000;
/** How far ahead a send may be scheduled, in seconds. */
const MAX_SCHEDULE_SECONDS = 72 * 3_600;
const RESERVED_HEADERS = new Set(
  'x-sg-id x-sg-eid received dkim-signature content-type content-transfer-encoding to from subject reply-to cc bcc'.split(
    ' ',
  ),
);

/** Checks a request by the published rules; returns the mail or every error found. */
export function checkMail(body: unknown, now: Date): { mail: Mail } | { errors: SendGridError[] } {
  if (!validator.Check(body)) return { errors: describeSchemaErrors(validator.Errors(body)) };
  const mail: Mail = body;
  const errors = [
    ...checkAddresses(mail),
    ...mail.personalizations.flatMap((personalization, index) => checkPersonalization(mail, personalization, index)),
    ...checkSubject(mail),
    ...checkContent(mail),
    ...checkSchedule(mail, now),
    ...checkHeaders(mail),
  ];
  return errors.length > 0 ? { errors } : { mail };
}

function describeSchemaErrors(found: readonly SchemaError[]): SendGridError[] {
  const errors = found
    .filter((error) => error.keyword !== 'boolean')
    .flatMap((error) => {
      const field = error.instancePath.slice(1).replaceAll('/', '.') || null;
      const within = (name: string) => (field === null ? name : `${field}.${name}`);
      if (error.keyword === 'additionalProperties') {
        return error.params.additionalProperties.map((name) =>
          fieldError(within(name), `Additional property ${name} is not allowed`),
        );
      }
      if (error.keyword === 'required') {
        return error.params.requiredProperties.map((name) => fieldError(within(name), requiredMessage(within(name))));
      }
      if (error.keyword === 'type') {
        return [fieldError(field, `Invalid type. Expected: ${String(error.params.type)}.`)];
      }
      return [fieldError(field, limitMessage(field) ?? error.message)];
    });
  return errors.length > 0 ? errors : [fieldError(null, 'Bad Request')];
}

function requiredMessage(field: string): string {
  if (field === 'personalizations') {
    return 'The personalizations field is required and must have at least one personalization.';
  }
  if (field === 'from')
    return 'The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.';
  if (/^personalizations\.\d+\.to$/.test(field))
    return 'The to array is required for all personalization objects, and must have at least one email object with a valid email address.';
  return `${field.split('.').at(-1) ?? field} is required`;
}

function limitMessage(field: string | null): string | undefined {
  if (field === 'personalizations') return 'You must have at least one personalization, and at most 1000.';
  if (field !== null && /^personalizations\.\d+\.to$/.test(field)) return requiredMessage(field);
  if (field !== null && /^content\.\d+\.value$/.test(field)) {
    return 'The content value must be a string at least one character in length.';
  }
  return undefined;
}

function checkAddresses(mail: Mail): SendGridError[] {
  const errors: SendGridError[] = [];
  if (!EMAIL.test(mail.from.email)) {
    errors.push(fieldError('from.email', 'The from email does not contain a valid address.'));
  }
  if (mail.reply_to && !EMAIL.test(mail.reply_to.email)) {
    errors.push(fieldError('reply_to.email', 'The reply_to email does not contain a valid address.'));
  }
  if (mail.reply_to && mail.reply_to_list) {
    errors.push(fieldError('reply_to', 'Only one of reply_to and reply_to_list may be given.'));
  }
  const recipients = mail.personalizations.flatMap(({ to, cc = [], bcc = [] }) => [...to, ...cc, ...bcc]);
  if (recipients.length > MAX_RECIPIENTS) {
    errors.push(
      fieldError('personalizations', 'There is a limit of 1000 total recipients (to + cc + bcc) per request.'),
    );
  }
  return errors;
}

function checkPersonalization(mail: Mail, personalization: Personalization, index: number): SendGridError[] {
  const field = `personalizations.${String(index)}`;
  const errors: SendGridError[] = [];
  const seen = new Set<string>();
  for (const list of ['to', 'cc', 'bcc'] as const) {
    (personalization[list] ?? []).forEach(({ email }, position) => {
      if (!EMAIL.test(email)) {
        errors.push(fieldError(`${field}.${list}.${String(position)}.email`, 'Does not contain a valid address.'));
      }
      if (seen.has(email.toLowerCase())) {
        errors.push(
          fieldError(
            field,
            `Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [${email}] in the ${field}.${list} field.`,
          ),
        );
      }
      seen.add(email.toLowerCase());
    });
  }
  const customArgs = { ...mail.custom_args, ...personalization.custom_args };
  if (Buffer.byteLength(JSON.stringify(customArgs)) > MAX_CUSTOM_ARGS_BYTES) {
    errors.push(fieldError(`${field}.custom_args`, 'The custom arguments may not exceed 10000 bytes.'));
  }
  return errors;
}

function checkSubject(mail: Mail): SendGridError[] {
  const everyOneHasIt = mail.personalizations.every(({ subject }) => subject);
  if (mail.subject || everyOneHasIt || mail.template_id !== undefined) return [];
  return [
    fieldError(
      'subject',
      'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.',
    ),
  ];
}

function checkContent(mail: Mail): SendGridError[] {
  const { content } = mail;
  if (!content) {
    if (mail.template_id !== undefined) return [];
    return [fieldError('content', 'Unless a valid template_id is provided, the content parameter is required.')];
  }
  const types = content.map(({ type }) => type);
  const errors: SendGridError[] = [];
  if (new Set(types).size < types.length) {
    errors.push(fieldError('content', 'The content types must be unique.'));
  }
  const ordered = [
    ...types.filter((type) => type === 'text/plain'),
    ...types.filter((type) => type === 'text/html'),
    ...types.filter((type) => type !== 'text/plain' && type !== 'text/html'),
  ];
  if (types.some((type, index) => type !== ordered[index])) {
    errors.push(
      fieldError(
        'content',
        'If present, text/plain and text/html may only be provided once, and text/plain must be first followed by text/html.',
      ),
    );
  }
  return errors;
}

function checkSchedule(mail: Mail, now: Date): SendGridError[] {
  const latest = now.getTime() / 1_000 + MAX_SCHEDULE_SECONDS;
  const times = [
    ['send_at', mail.send_at] as const,
    ...mail.personalizations.map(
      ({ send_at }, index) => [`personalizations.${String(index)}.send_at`, send_at] as const,
    ),
  ];
  return times
    .filter(([, time]) => time !== undefined && time > latest)
    .map(([field]) => fieldError(field, 'Scheduling more than 72 hours in advance is forbidden.'));
}

function checkHeaders(mail: Mail): SendGridError[] {
  const lists = [
    ['headers', mail.headers] as const,
    ...mail.personalizations.map(
      ({ headers }, index) => [`personalizations.${String(index)}.headers`, headers] as const,
    ),
  ];
  return lists.flatMap(([field, headers = {}]) =>
    Object.keys(headers)
      .filter((name) => RESERVED_HEADERS.has(name.toLowerCase()))
      .map((name) => fieldError(`${field}.${name}`, `The ${name} header is reserved and may not be set.`)),
  );
}
