import { describe, expect, it } from '@jest/globals';
import { AppError, ERROR_CODES } from '../../../src/domain/errors.ts';
import { problemDocument, PROBLEMS, refusalOf, RequestError } from '../../../src/api/problem.ts';

describe('the table of problems', () => {
  it.each(ERROR_CODES)('%s has a status, a title and says what to do', (code) => {
    const { status, title, detail } = PROBLEMS[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title.length).toBeGreaterThan(5);
    expect(detail).toMatch(/\.$/);
  });

  it('has one row for each code and no other', () => {
    expect(Object.keys(PROBLEMS).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('answers 409 for a taken slot, 422 for a rule, 404 for what may not be seen', () => {
    expect(PROBLEMS.slot_taken.status).toBe(409);
    expect(PROBLEMS.outside_hours.status).toBe(422);
    expect(PROBLEMS.visit_begun.status).toBe(422);
    expect(PROBLEMS.not_found.status).toBe(404);
    expect(PROBLEMS.precondition_required.status).toBe(428);
    expect(PROBLEMS.version_mismatch.status).toBe(412);
    expect(PROBLEMS.idempotency_mismatch.status).toBe(422);
    expect(PROBLEMS.idempotency_in_progress.status).toBe(409);
  });
});

describe('what is answered to whatever was thrown', () => {
  it('is the code of our own errors', () => {
    expect(refusalOf(new AppError('slot_taken'))).toEqual({ code: 'slot_taken', headers: {} });
  });

  it('leaves out what our own errors carry', () => {
    const refusal = refusalOf(new AppError('version_mismatch', { version: 7 }));
    expect(JSON.stringify(problemDocument(refusal.code, 'request-1'))).not.toContain('7');
  });

  it('asks to come back where the reason passes', () => {
    expect(refusalOf(new AppError('database_unavailable')).headers).toEqual({ 'retry-after': '5' });
    expect(refusalOf(new AppError('temporarily_unavailable')).headers).toEqual({ 'retry-after': '5' });
    expect(refusalOf(new AppError('slot_taken')).headers).toEqual({});
  });

  it('does not say that nothing was written where the answer of a commit may have been lost', () => {
    for (const code of ['database_unavailable', 'temporarily_unavailable'] as const) {
      expect(problemDocument(code, 'request-1').detail).toMatch(/^Whether a change was written is not known\./);
    }
  });

  it('is an internal error, and nothing more, for anything unknown', () => {
    for (const thrown of [
      new Error('duplicate key (phone)=(+15005550006)'),
      'text',
      null,
      undefined,
      { statusCode: 400 },
    ]) {
      expect(refusalOf(thrown)).toEqual({ code: 'internal_error', headers: {} });
    }
  });

  it('names fields and adds headers where the error has them', () => {
    const error = new RequestError('validation_failed', {
      fields: [{ in: 'query', pointer: '/cursor', rule: 'cursor' }],
      headers: { allow: 'GET' },
    });
    expect(refusalOf(error)).toEqual({
      code: 'validation_failed',
      errors: [{ in: 'query', pointer: '/cursor', rule: 'cursor' }],
      headers: { allow: 'GET' },
    });
  });
});
