import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { toFailure } from '../../../src/activities/failures.ts';
import { AppError } from '../../../src/domain/errors.ts';

describe('toFailure', () => {
  it.each([
    ['broker_unavailable', false],
    ['database_unavailable', false],
    ['temporarily_unavailable', false],
    ['not_found', true],
    ['appointment_not_scheduled', true],
  ] as const)('carries %s as type and message, final: %s', (code, isFinal) => {
    const failure = toFailure(new AppError(code, { appointmentId: 'a' }));
    expect(failure).toMatchObject({ type: code, message: code, nonRetryable: isFinal });
  });

  it('passes on nothing of an error that may hold a value, and has it tried again', () => {
    const secret = 'Jordan Sample, born 1980-05-17';
    const failure = toFailure(new Error(`duplicate key (${secret})`, { cause: new Error(secret) }));
    expect(failure).toMatchObject({ type: 'internal_error', message: 'internal_error', nonRetryable: false });
    expect(`${failure.stack ?? ''} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain(secret);
  });

  it('leaves the failures of activities as they are', () => {
    const failure = ApplicationFailure.nonRetryable('ehr_refused', 'ehr_refused');
    expect(toFailure(failure)).toBe(failure);
  });
});
