import { Type, type Static } from 'typebox';
import { AppError, ERROR_CODES, SeriesClashError, type ErrorCode, type SeriesClash } from '../domain/errors.ts';
import { expectedBy } from './expected.ts';
import { Instant, instantText } from './schemas.ts';

/** What a code means to an HTTP client: the status, a short title, and what to do about it. */
export interface ProblemText {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

/** The one table from code to answer. A new code does not compile until it has its row. */
export const PROBLEMS: Record<ErrorCode, ProblemText> = {
  validation_failed: {
    status: 400,
    title: 'The request is not valid',
    detail: 'Correct the fields named in errors and send the request again.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is not JSON',
    detail: 'Send one JSON document in UTF-8 that is complete and well formed, without __proto__ or constructor keys.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    detail: 'Send less: bodies are limited to 64 KiB, calendar files to 512 KiB, SendGrid’s events to 1 MiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type is not supported',
    detail:
      'Send the body as application/json, a calendar file as text/calendar, both in UTF-8 and without Content-Encoding.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    detail: 'Use one of the methods in the Allow header.',
  },
  token_missing: {
    status: 401,
    title: 'An access token is missing',
    detail: 'Send an access token of the OAuth2 service as "Authorization: Bearer <token>".',
  },
  token_invalid: {
    status: 401,
    title: 'The access token is not valid',
    detail: 'Get an access token for this API from the OAuth2 service and send it unchanged.',
  },
  token_expired: {
    status: 401,
    title: 'The access token has expired',
    detail: 'Get a new access token from the OAuth2 service and send the request again.',
  },
  forbidden: {
    status: 403,
    title: 'This caller may not do this',
    detail: 'Use a token whose role and scope allow the operation; see its description at /docs.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    detail: 'Check the address and the ids: what does not exist and what this caller may not see are answered alike.',
  },
  precondition_required: {
    status: 428,
    title: 'The version you have read is required',
    detail: 'Read it again and send the ETag of that answer in If-Match.',
  },
  version_mismatch: {
    status: 412,
    title: 'It has changed since you read it',
    detail: 'Read it again, look at what changed, and send the new ETag in If-Match.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait for the seconds in Retry-After, then send the request again.',
  },
  signature_invalid: {
    status: 403,
    title: 'The signature is not valid',
    detail: 'Sign the callback with the key that was agreed, over the exact address and body.',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'A request with this Idempotency-Key is still running',
    detail: 'Wait a moment and send the same request again to learn its answer.',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'This Idempotency-Key was used with another body',
    detail: 'Send the first body again, or use a new key for a new request.',
  },
  slot_taken: {
    status: 409,
    title: 'The slot is taken',
    detail: 'Ask for the availability again and choose another start.',
  },
  patient_busy: {
    status: 409,
    title: 'The patient has another visit at this time',
    detail: 'Choose another start, or cancel or move the other visit first.',
  },
  in_the_past: { status: 422, title: 'The time is in the past', detail: 'Choose a time in the future.' },
  too_soon: {
    status: 422,
    title: 'The start is too soon',
    detail: 'Choose a later start: the clinic wants more notice.',
  },
  too_far_ahead: {
    status: 422,
    title: 'The start is too far ahead',
    detail: 'Choose an earlier start: the clinic does not take bookings for this date yet.',
  },
  invalid_duration: {
    status: 422,
    title: 'The duration is not possible',
    detail: 'Ask for a whole number of minutes from 1 to 1440.',
  },
  off_grid: {
    status: 422,
    title: "The start is not on the provider's grid",
    detail: 'Choose a start that the availability search offers.',
  },
  outside_hours: {
    status: 422,
    title: "The visit is outside the provider's hours",
    detail: 'Choose a start that the availability search offers.',
  },
  provider_closed: {
    status: 422,
    title: 'The clinic is closed then',
    detail: 'Choose another date.',
  },
  provider_away: {
    status: 422,
    title: 'The provider is away then',
    detail: 'Choose another date or another provider.',
  },
  day_full: {
    status: 422,
    title: "The provider's day is full",
    detail: 'Choose another date, or put the patient on the waitlist.',
  },
  move_too_late: {
    status: 422,
    title: 'It is too late to move the visit',
    detail: 'Keep or cancel the visit, or ask the desk: the clinic wants more notice to move it.',
  },
  too_many_moves: {
    status: 422,
    title: 'The visit has been moved too often',
    detail: 'Keep or cancel the visit, or ask the desk: the clinic limits how often one visit is moved.',
  },
  too_many_upcoming: {
    status: 422,
    title: 'The patient has too many visits ahead',
    detail: 'Cancel one of the visits ahead first, or ask the desk: the clinic limits their number.',
  },
  too_many_upcoming_with_provider: {
    status: 422,
    title: 'The patient has too many visits ahead with this provider',
    detail: 'Cancel one of them first, choose another provider, or ask the desk.',
  },
  hold_gone: {
    status: 409,
    title: 'The hold has ended',
    detail: 'It expired, was released or was used: ask for the availability again and place a new hold.',
  },
  hold_mismatch: {
    status: 422,
    title: 'The hold is for another slot',
    detail: 'Send the provider, start and duration that the hold was placed for, or leave the hold out.',
  },
  hold_already_extended: {
    status: 422,
    title: 'The hold has been extended already',
    detail: 'Book before it expires: a hold is extended once.',
  },
  too_many_holds: {
    status: 422,
    title: 'Too many slots are held',
    detail: 'Release one of the holds first, or book it.',
  },
  series_clash: {
    status: 409,
    title: 'Not every date of the series is possible',
    detail: 'Nothing was changed. clashes lists the dates and why each is refused: choose another start, or fewer.',
  },
  registration_in_use: {
    status: 409,
    title: 'The registration is in use',
    detail: 'Keep it: the patient has visits or waitlist entries at the clinic, past ones included.',
  },
  calendar_invalid: {
    status: 422,
    title: 'The calendar file cannot be read',
    detail: 'Send an iCalendar file (RFC 5545) in UTF-8 whose events are whole days.',
  },
  file_too_costly: {
    status: 422,
    title: 'The file takes too much to read',
    detail: 'Send it in smaller parts, or leave out what recurs so often that nobody could count it.',
  },
  step_not_in_policy: {
    status: 422,
    title: 'The clinic does not take this step',
    detail: "Send steps of the sick day's policy alone: see sickDay.steps of the clinic's policy.",
  },
  sick_day_ended: {
    status: 409,
    title: 'The sick day has been dealt with',
    detail: 'Read it: it is finished or stopped, and can no longer be paused, resumed or stopped.',
  },
  replay_ended: {
    status: 409,
    title: 'The replay has ended',
    detail: 'Read it: it is finished or stopped, and can no longer be paused, resumed or stopped.',
  },
  offer_closed: {
    status: 409,
    title: 'The offered time is gone',
    detail: 'The offer was answered, withdrawn or has expired: read the appointment to see where it stands.',
  },
  appointment_not_scheduled: {
    status: 422,
    title: 'The appointment is no longer scheduled',
    detail: 'Read the appointment: it was completed, cancelled or marked as a no-show.',
  },
  visit_begun: {
    status: 422,
    title: 'The visit has begun',
    detail: 'Complete it, or mark it as a no-show; it can no longer be cancelled or moved.',
  },
  visit_not_begun: {
    status: 422,
    title: 'The visit has not begun',
    detail: 'Wait until its start, or check the patient in.',
  },
  already_checked_in: {
    status: 422,
    title: 'The patient has arrived',
    detail: 'Complete the visit, or undo the check-in: a patient who is checked in is no no-show and is not moved.',
  },
  check_in_not_open: {
    status: 422,
    title: 'It is too early to check in',
    detail:
      'Check the patient in on the day of the visit, from checkInFromMinutes of the clinic’s policy before its start.',
  },
  check_in_over: {
    status: 422,
    title: 'The day of the visit is over',
    detail: 'Complete the visit, or mark it as a no-show.',
  },
  not_checked_in: {
    status: 422,
    title: 'The patient is not checked in',
    detail: 'Read the appointment: there is no arrival to undo.',
  },
  not_completed: {
    status: 422,
    title: 'The appointment is not completed',
    detail: 'Read the appointment: there is no completion to undo.',
  },
  correction_too_late: {
    status: 422,
    title: 'It is too late to correct this',
    detail: 'What became of a visit is corrected within correctionDays of the clinic’s policy.',
  },
  not_marked_no_show: {
    status: 422,
    title: 'The appointment is not marked as a no-show',
    detail: 'Read the appointment: there is no mark to undo.',
  },
  already_waiting: {
    status: 409,
    title: 'The patient is on this waitlist already',
    detail: 'Keep the entry there is, or take the patient off the waitlist first.',
  },
  round_closed: {
    status: 409,
    title: 'The freed slot is gone',
    detail: 'Somebody else has it, or it is open to everybody again: ask for the availability.',
  },
  notification_not_failed: {
    status: 422,
    title: 'The notification has not failed',
    detail: 'Replay only notifications whose state is FAILED.',
  },
  ehr_not_configured: {
    status: 422,
    title: 'The clinic has no EHR connection',
    detail: "Set up the clinic's EHR connection first.",
  },
  ehr_unavailable: {
    status: 503,
    title: 'The EHR is not available',
    detail: 'Try again after the seconds in Retry-After; the nightly sync catches up by itself.',
  },
  ehr_refused: {
    status: 502,
    title: 'The EHR refused',
    detail: 'Look at the sync run for the reason, correct it there and sync again.',
  },
  provider_unavailable: {
    status: 503,
    title: 'The message provider is not available',
    detail: 'Try again after the seconds in Retry-After.',
  },
  provider_refused: {
    status: 502,
    title: 'The message provider refused',
    detail: "Look at the notification's attempts for the reason.",
  },
  broker_unavailable: {
    status: 503,
    title: 'The message broker is not available',
    detail: 'Try again after the seconds in Retry-After.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database is not available',
    detail:
      'Whether a change was written is not known. Try again after the seconds in Retry-After, with the same Idempotency-Key if you sent one; else read first.',
  },
  temporarily_unavailable: {
    status: 503,
    title: 'This did not work just now',
    detail:
      'Whether a change was written is not known. Try again after the seconds in Retry-After, with the same Idempotency-Key if you sent one; else read first.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side',
    detail: 'Send the request id in instance to support; what happened is in the log.',
  },
};

/** Where and why a field was refused; never its value. */
const FieldProblem = Type.Object({
  in: Type.Enum(['body', 'path', 'query', 'header'], { description: 'The part of the request.' }),
  pointer: Type.String({ description: 'JSON pointer of the field in that part (RFC 6901).' }),
  rule: Type.String({ description: 'The rule that refused it, such as required, format or minimum.' }),
  expected: Type.Optional(
    Type.String({ description: 'What it must be, in words and values.', examples: ['one of: sms, email'] }),
  ),
});
export type FieldProblem = Omit<Static<typeof FieldProblem>, 'expected'> & { readonly expected?: string | undefined };

/** One date of a series that is not to be had. */
const Clash = Type.Object({
  appointmentTime: Instant('The start that was refused.'),
  code: Type.Enum([...ERROR_CODES], { description: 'Why, as for a single visit; see /problems.' }),
});
type Clash = Static<typeof Clash>;

/** An RFC 9457 problem document. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Names the kind of problem; the same address describes it.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable: clients may branch on it.' }),
    detail: Type.String({ description: 'What to do about it.' }),
    instance: Type.String({ description: 'The request id, as in X-Request-Id.' }),
    errors: Type.Optional(
      Type.Array(FieldProblem, { description: 'With validation_failed: the fields that were refused.' }),
    ),
    clashes: Type.Optional(
      Type.Array(Clash, { description: 'With series_clash: every date that stands in the way, earliest first.' }),
    ),
  },
  { $id: 'Problem', description: 'A problem document (RFC 9457).' },
);
export type Problem = Static<typeof Problem>;

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Seconds after which a client may try again what failed for a passing reason. */
const RETRY_SECONDS = 5;

/** What the HTTP layer says instead of the thing asked for. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly errors?: readonly FieldProblem[];
  readonly clashes?: readonly Clash[];
  readonly headers: Readonly<Record<string, string>>;
}

/** A refusal that names fields, or adds headers, beyond what the code says. */
export class RequestError extends AppError {
  readonly fields: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    about: { readonly fields?: readonly FieldProblem[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code);
    this.fields = about.fields ?? [];
    this.headers = about.headers ?? {};
  }
}

/** A field that only the handler could judge. */
export function invalidField(part: FieldProblem['in'], pointer: string, rule: string, expected?: string): RequestError {
  return new RequestError('validation_failed', { fields: [{ in: part, pointer, rule, expected }] });
}

/** The document for a code. */
export function problemDocument(
  code: ErrorCode,
  requestId: string,
  { errors, clashes }: Pick<Refusal, 'errors' | 'clashes'> = {},
): Problem {
  const { status, title, detail } = PROBLEMS[code];
  return {
    type: problemType(code),
    title,
    status,
    code,
    detail,
    instance: requestId,
    ...(errors === undefined ? {} : { errors: errors.map(shown) }),
    ...(clashes === undefined ? {} : { clashes: [...clashes] }),
  };
}

function shown({ expected, ...field }: FieldProblem): Static<typeof FieldProblem> {
  return expected === undefined ? field : { ...field, expected };
}

/** The address that names a kind of problem, relative to the API's own. */
export function problemType(code: ErrorCode): string {
  return `/problems/${code}`;
}

/** What to answer to whatever was thrown. Anything unknown is our fault and says nothing about itself. */
export function refusalOf(error: unknown): Refusal {
  const code = codeOf(error);
  const errors = error instanceof RequestError ? error.fields : fieldsOf(error);
  return {
    code,
    ...(errors.length === 0 ? {} : { errors }),
    ...(error instanceof SeriesClashError ? { clashes: error.clashes.map(clashOf) } : {}),
    headers: { ...passingHeaders(code), ...(error instanceof RequestError ? error.headers : {}) },
  };
}

function clashOf({ appointmentTime, code }: SeriesClash): Clash {
  return { appointmentTime: instantText(appointmentTime), code };
}

function passingHeaders(code: ErrorCode): Record<string, string> {
  if (PROBLEMS[code].status === 503) return { 'retry-after': String(RETRY_SECONDS) };
  if (code === 'idempotency_in_progress' || code === 'rate_limited') return { 'retry-after': '1' };
  return {};
}

/** What Fastify raises by itself. Source: fastify.dev/docs/latest/Reference/Errors */
const BY_FASTIFY_CODE: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_VALIDATION: 'validation_failed',
  FST_ERR_BAD_URL: 'validation_failed',
  FST_ERR_MAX_PARAM_LENGTH: 'validation_failed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_NOT_FOUND: 'not_found',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'validation_failed',
  FST_ERR_HANDLER_TIMEOUT: 'temporarily_unavailable',
};

interface FrameworkError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly validation?: readonly { readonly keyword: string; readonly instancePath: string; readonly params: object }[];
  readonly validationContext?: string;
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof AppError) return error.code;
  const { code, statusCode, validation } = (error ?? {}) as FrameworkError;
  if (validation !== undefined) return 'validation_failed';
  const known = typeof code === 'string' ? BY_FASTIFY_CODE[code] : undefined;
  if (known !== undefined) return known;
  // The parser of a body says 400 and nothing more: for JSON that is a document that is no JSON.
  if (error instanceof SyntaxError && statusCode === 400) return 'malformed_json';
  if (typeof code === 'string' && code.startsWith('FST_') && isClientStatus(statusCode)) return 'validation_failed';
  // The client hung up within its own body: nobody hears the answer, and nothing is wrong here.
  if (code === 'ECONNRESET' || code === 'ECONNABORTED' || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return 'validation_failed';
  return 'internal_error';
}

function isClientStatus(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status < 500;
}

const PARTS: Readonly<Record<string, FieldProblem['in']>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'header',
};

/** What Fastify refuses before it knows the route, and so the names of the path's parts. */
const PATH_RULES: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'format',
  FST_ERR_MAX_PARAM_LENGTH: 'maxLength',
};

function fieldsOf(error: unknown): FieldProblem[] {
  const { code, validation, validationContext } = (error ?? {}) as FrameworkError;
  const rule = typeof code === 'string' ? PATH_RULES[code] : undefined;
  if (rule !== undefined) return [{ in: 'path', pointer: '', rule }];
  if (validation === undefined) return [];
  const part = PARTS[validationContext ?? ''] ?? 'body';
  const named = validation.map(({ instancePath, keyword, params }) => {
    // A body of several kinds has a tag that says which.
    const { missingProperty, additionalProperty, tag } = params as Record<string, unknown>;
    const property = missingProperty ?? additionalProperty ?? tag;
    return {
      in: part,
      pointer: typeof property === 'string' ? `${instancePath}/${nameOf(property)}` : instancePath,
      rule: keyword,
      expected: expectedBy(keyword, params as Record<string, unknown>),
    };
  });
  // What may be of several kinds is refused once for each and once for all: the kinds say what is expected.
  const kinds = named.filter(({ rule }) => !SEVERAL.has(rule));
  return (kinds.length === 0 ? named : kinds).slice(0, MAX_FIELDS);
}

const SEVERAL: ReadonlySet<string> = new Set(['anyOf', 'oneOf']);
/** Faults told at most. */
const MAX_FIELDS = 50;

/** The client's own name for a field it may not send: shown when it looks like a name, as it could be anything. */
function nameOf(property: string): string {
  return /^[\w-]{1,64}$/.test(property) ? property : '*';
}
