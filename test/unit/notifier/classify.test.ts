import { describe, expect, it } from '@jest/globals';
import { AppError, type ErrorDetail } from '../../../src/domain/errors.ts';
import { refused, unanswered } from '../../../src/integrations/http-failure.ts';
import { classify } from '../../../src/notifier/classify.ts';

const answer = (detail: ErrorDetail) => new AppError('provider_refused', detail);

describe('classifying a provider’s error', () => {
  it.each([
    ['sms', { status: 400, providerCode: '21211' }, 'permanent', 'twilio_21211'],
    ['sms', { status: 400, providerCode: '21610' }, 'permanent', 'twilio_21610'],
    ['sms', { status: 400, providerCode: '21614' }, 'permanent', 'twilio_21614'],
    ['sms', { status: 429, providerCode: '20429' }, 'channel_later', 'twilio_20429'],
    ['sms', { status: 400, providerCode: '21611' }, 'channel_later', 'twilio_21611'],
    ['sms', { status: 401, providerCode: '20003' }, 'stop', 'twilio_20003'],
    ['sms', { status: 400, providerCode: '21606' }, 'stop', 'twilio_21606'],
    ['sms', { status: 500, providerCode: '20500' }, 'unknown', 'twilio_20500'],
    // A code that Twilio added yesterday goes by its status.
    ['sms', { status: 400, providerCode: '29999' }, 'permanent', 'twilio_29999'],
    ['sms', { status: 429, providerCode: '29999' }, 'channel_later', 'twilio_29999'],
    ['sms', { status: 403, providerCode: '29999' }, 'stop', 'twilio_29999'],
    ['sms', { status: 502 }, 'unknown', 'twilio_http_502'],
    ['sms', { status: 408 }, 'unknown', 'twilio_http_408'],
    ['sms', { status: 302 }, 'unknown', 'twilio_http_302'],
    ['email', { status: 400 }, 'permanent', 'sendgrid_http_400'],
    ['email', { status: 413 }, 'permanent', 'sendgrid_http_413'],
    ['email', { status: 401 }, 'stop', 'sendgrid_http_401'],
    ['email', { status: 404 }, 'stop', 'sendgrid_http_404'],
    ['email', { status: 429 }, 'channel_later', 'sendgrid_http_429'],
    ['email', { status: 503 }, 'unknown', 'sendgrid_http_503'],
    ['email', { status: 400, providerCode: '20003' }, 'permanent', 'sendgrid_20003'],
  ] as const)('%s %j is %s', (channel, detail, expected, reason) => {
    expect(classify(channel, answer(detail))).toEqual({ class: expected, reason });
  });

  it('keeps what Retry-After asks for', () => {
    expect(classify('sms', answer({ status: 429, retryAfterSeconds: 7 }))).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('tells a request that never left from one whose answer was lost', () => {
    expect(classify('sms', unanswered({ code: 'ECONNREFUSED' }))).toEqual({
      class: 'channel_later',
      reason: 'twilio_unreachable',
    });
    expect(classify('sms', unanswered({ code: 'ENOTFOUND' })).class).toBe('channel_later');
    expect(classify('email', unanswered({ code: 'EHOSTUNREACH' })).class).toBe('channel_later');
    expect(classify('email', unanswered({ code: 'ECONNRESET' }))).toEqual({
      class: 'unknown',
      reason: 'sendgrid_no_answer',
    });
    expect(classify('email', unanswered({ code: 'ECONNABORTED' })).class).toBe('unknown');
    expect(classify('email', unanswered(undefined)).class).toBe('unknown');
  });

  it('takes an error that nobody expected for an unknown outcome', () => {
    expect(classify('sms', new TypeError('x'))).toEqual({ class: 'unknown', reason: 'unexpected_error' });
    expect(classify('sms', new AppError('internal_error')).class).toBe('unknown');
  });
});

describe('reading Retry-After', () => {
  const now = Date.parse('2027-03-13T15:00:00Z');
  const seconds = (retryAfter: string) => refused(429, { retryAfter }, now).detail['retryAfterSeconds'];

  it('reads seconds and dates', () => {
    expect(seconds('30')).toBe(30);
    expect(seconds('Sat, 13 Mar 2027 15:00:45 GMT')).toBe(45);
    expect(seconds('Sat, 13 Mar 2027 14:00:00 GMT')).toBe(0);
  });

  it('passes over what is neither', () => {
    expect(seconds('soon')).toBeUndefined();
  });
});
