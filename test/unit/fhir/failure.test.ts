import { describe, expect, it } from '@jest/globals';
import { answerFailure, connectionFailure, EhrError } from '../../../src/integrations/fhir/failure.ts';

const now = new Date('2027-03-15T09:00:00Z');
const outcome = (code: string, more: object = {}) => ({
  resourceType: 'OperationOutcome',
  issue: [
    { severity: 'warning', code: 'informational' },
    { severity: 'error', code, ...more },
  ],
});

describe('what a failed request to an EHR means', () => {
  it.each([
    [400, 'permanent', 'entry', false],
    [401, 'permanent', 'server', false],
    [403, 'permanent', 'entry', false],
    [404, 'gone', 'entry', false],
    [409, 'conflict', 'entry', false],
    [410, 'gone', 'entry', false],
    [412, 'conflict', 'entry', false],
    [422, 'permanent', 'entry', false],
    [423, 'transient', 'entry', false],
    [429, 'transient', 'server', false],
    [500, 'transient', 'entry', true],
    [502, 'transient', 'server', true],
    [503, 'transient', 'server', true],
    [504, 'transient', 'server', true],
    [507, 'transient', 'server', true],
  ])('reads %i as %s for the %s', (status, kind, scope, mayHaveHappened) => {
    expect(answerFailure(status, undefined, null, now)).toMatchObject({ kind, scope, mayHaveHappened, status });
  });

  it.each(['lock-error', 'no-store', 'exception', 'timeout', 'incomplete', 'throttled', 'transient'])(
    'lets an issue of the transient family soften a refusal: %s',
    (code) => {
      expect(answerFailure(422, outcome(code), null, now).kind).toBe('transient');
    },
  );

  it('does not let an issue of the transient family soften a conflict', () => {
    expect(answerFailure(409, outcome('lock-error'), null, now).kind).toBe('conflict');
  });

  it('names the status, the issue and where it points, and nothing the server said in words', () => {
    const words = { diagnostics: 'Patient Jordan Sample is unknown', details: { text: 'Jordan Sample' } };
    const failure = answerFailure(
      422,
      outcome('business-rule', { ...words, expression: ['Appointment.start'] }),
      null,
      now,
    );
    expect(failure.reason).toBe('http_422 business-rule Appointment.start');
    expect(JSON.stringify(failure)).not.toContain('Sample');
  });

  it('drops a code or a path that is none', () => {
    const odd = outcome('Jordan Sample', { expression: ["Appointment.where(name='Jordan Sample')"] });
    expect(answerFailure(422, odd, null, now).reason).toBe('http_422');
  });

  it('survives bodies that are no OperationOutcome', () => {
    for (const body of [null, undefined, 'text', [], { issue: 'none' }, { resourceType: 'OperationOutcome' }]) {
      expect(answerFailure(500, body, null, now).reason).toBe('http_500');
    }
  });

  it('takes the wait from the header, and inside a batch from the outcome', () => {
    expect(answerFailure(429, undefined, '7', now).retryAfterMs).toBe(7_000);
    const hint = outcome('throttled', { diagnostics: 'Refused; retry after 3 s' });
    expect(answerFailure(429, hint, undefined, now).retryAfterMs).toBe(3_000);
    expect(answerFailure(429, undefined, undefined, now)).not.toHaveProperty('retryAfterMs');
  });

  it.each([
    ['0', 0],
    ['120', 120_000],
    ['Mon, 15 Mar 2027 09:00:30 GMT', 30_000],
    ['Mon, 15 Mar 2027 08:00:00 GMT', 0],
    ['86400', 900_000],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads Retry-After %p as %p ms', (header, expected) => {
    expect(answerFailure(503, undefined, header, now).retryAfterMs).toBe(expected);
  });

  it('knows which broken connections cannot have written anything', () => {
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const closed = Object.assign(new TypeError('fetch failed'), { cause: { code: 'UND_ERR_SOCKET' } });
    expect(connectionFailure(refused)).toMatchObject({ mayHaveHappened: false, reason: 'ECONNREFUSED' });
    expect(connectionFailure(closed)).toMatchObject({ mayHaveHappened: true, reason: 'UND_ERR_SOCKET' });
    expect(connectionFailure(AbortSignal.abort(new DOMException('late', 'TimeoutError')).reason)).toMatchObject({
      kind: 'transient',
      scope: 'server',
      mayHaveHappened: true,
      reason: 'timeout',
    });
  });

  it('is ehr_unavailable if it may pass, else ehr_refused', () => {
    expect(new EhrError(answerFailure(503, undefined, null, now)).code).toBe('ehr_unavailable');
    expect(new EhrError(answerFailure(422, undefined, null, now)).code).toBe('ehr_refused');
  });
});
