import type { OperationOutcome } from 'fhir/r4.js';
import { AppError } from '../../domain/errors.ts';
import { NEVER_SENT, readRetryAfter } from '../http-failure.ts';

/**
 * What a failed request means.
 *
 * - `transient`: the same request may succeed later.
 * - `conflict`: it was written for another state of the resource; read again and decide anew.
 * - `gone`: the resource is not where it was.
 * - `permanent`: it will be refused again until a person changes something.
 */
export type FailureKind = 'transient' | 'conflict' | 'gone' | 'permanent';

export interface EhrFailure {
  readonly kind: FailureKind;
  /** Does it concern this one request, or would every other fail as well? */
  readonly scope: 'entry' | 'server';
  /** Can the write have happened although no success was answered? */
  readonly mayHaveHappened: boolean;
  /** A stable code for logs and for the person who settles it: a status, an issue code, a path. Never what the server said in words. */
  readonly reason: string;
  readonly status?: number;
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A request to an EHR failed. The code is `ehr_unavailable` for what may succeed later, else `ehr_refused`. */
export class EhrError extends AppError {
  readonly failure: EhrFailure;

  constructor(failure: EhrFailure, options?: ErrorOptions) {
    super(failure.kind === 'transient' ? 'ehr_unavailable' : 'ehr_refused', { reason: failure.reason }, options);
    this.name = 'EhrError';
    this.failure = failure;
  }
}

type Verdict = Pick<EhrFailure, 'kind' | 'scope' | 'mayHaveHappened'>;

const refused: Verdict = { kind: 'permanent', scope: 'entry', mayHaveHappened: false };
const conflict: Verdict = { kind: 'conflict', scope: 'entry', mayHaveHappened: false };
const gone: Verdict = { kind: 'gone', scope: 'entry', mayHaveHappened: false };
const later: Verdict = { kind: 'transient', scope: 'entry', mayHaveHappened: false };
const away: Verdict = { kind: 'transient', scope: 'server', mayHaveHappened: true };

/** By status. Sources: hl7.org/fhir/R4/http.html; Oracle Health's R4 pages for 423 (being edited) and 424; servers differ on 409 and 412. */
const BY_STATUS: Readonly<Record<number, Verdict>> = {
  // Asked only after a fresh token was refused as well: nothing else would be let in either.
  401: { kind: 'permanent', scope: 'server', mayHaveHappened: false },
  404: gone,
  // Some servers answer so to an update of what they do not hold.
  405: gone,
  408: away,
  409: conflict,
  410: gone,
  412: conflict,
  423: later,
  425: later,
  429: { kind: 'transient', scope: 'server', mayHaveHappened: false },
  500: { kind: 'transient', scope: 'entry', mayHaveHappened: true },
  502: away,
  503: away,
  504: away,
};

/** The family of issue codes that may succeed later: hl7.org/fhir/R4/valueset-issue-type.html, `transient` and its children. */
const TRANSIENT_ISSUES: ReadonlySet<string> = new Set([
  'transient',
  'lock-error',
  'no-store',
  'exception',
  'timeout',
  'incomplete',
  'throttled',
]);

/** How long a server may ask to be left alone, at most. */
const MAX_RETRY_AFTER_MS = 15 * 60_000;

/** What an answer that is no success means: the status decides, an issue of the transient family softens a refusal. */
export function answerFailure(
  status: number,
  outcome: unknown,
  retryAfter: string | null | undefined,
  now: Date,
): EhrFailure {
  const issue = worstIssue(outcome);
  const softened = status >= 400 && status < 500 && BY_STATUS[status] === undefined && TRANSIENT_ISSUES.has(issue.code);
  const verdict = softened ? later : (BY_STATUS[status] ?? (status >= 500 ? away : refused));
  const retryAfterMs = waitFor(retryAfter, now.getTime()) ?? issue.retryAfterMs;
  return {
    ...verdict,
    status,
    reason: [`http_${status}`, issue.code, issue.expression].filter((part) => part !== '').join(' '),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** What it means that there was no answer, or none that can be read. `error` is what `fetch` threw. */
export function connectionFailure(error: unknown): EhrFailure {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return { ...away, reason: 'timeout' };
  const code = typeof cause?.code === 'string' ? cause.code : '';
  return { ...away, mayHaveHappened: !NEVER_SENT.has(code), reason: code === '' ? 'connection_lost' : code };
}

/** The server answered something that is not FHIR, such as a proxy's page. */
export function unreadableAnswer(status: number): EhrFailure {
  return { ...away, status, reason: `http_${status} unreadable_answer` };
}

/** Nothing that is sent to this server can succeed until a person changes its configuration or ours. */
export function misconfigured(reason: string): EhrFailure {
  return { kind: 'permanent', scope: 'server', mayHaveHappened: false, reason };
}

/** What the server asks for, capped. */
function waitFor(value: string | null | undefined, now: number): number | undefined {
  const waitMs = readRetryAfter(value, now);
  return waitMs === undefined ? undefined : Math.min(waitMs, MAX_RETRY_AFTER_MS);
}

const SEVERITIES = ['fatal', 'error'];

/** The first issue that is an error: its code, and where it points if that is a path into the resource and nothing else. */
function worstIssue(outcome: unknown): { code: string; expression: string; retryAfterMs?: number } {
  const issues = isOperationOutcome(outcome) ? outcome.issue : [];
  const issue = issues.find((one) => SEVERITIES.includes(one.severity)) ?? issues[0];
  const code = /^[a-z-]{1,40}$/.test(issue?.code ?? '') ? (issue?.code ?? '') : '';
  const path = issue?.expression?.[0] ?? '';
  const expression = /^Appointment(\.[A-Za-z]{1,40}(\[\d{1,3}\])?){0,6}$/.test(path) ? path : '';
  // An entry of a batch has no headers: servers put the wait into the outcome.
  const seconds = /retry[- ]after:? (\d{1,6}) ?s/i.exec(issue?.diagnostics ?? issue?.details?.text ?? '')?.[1];
  const retryAfterMs = waitFor(seconds, 0);
  return { code, expression, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function isOperationOutcome(value: unknown): value is OperationOutcome {
  const candidate = value as Partial<OperationOutcome> | null | undefined;
  return candidate?.resourceType === 'OperationOutcome' && Array.isArray(candidate.issue);
}
