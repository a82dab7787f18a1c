import { describe, expect, it } from '@jest/globals';
import { isSameMessage, reportedState } from '../../../src/notifications/provider-states.ts';

describe('what providers report', () => {
  it.each([
    ['sms', 'queued', 'ACCEPTED'],
    ['sms', 'sent', 'ACCEPTED'],
    ['sms', 'delivered', 'DELIVERED'],
    ['sms', 'undelivered', 'FAILED'],
    ['sms', 'failed', 'FAILED'],
    ['email', 'processed', 'ACCEPTED'],
    ['email', 'deferred', 'ACCEPTED'],
    ['email', 'delivered', 'DELIVERED'],
    ['email', 'open', 'DELIVERED'],
    ['email', 'bounce', 'FAILED'],
    ['email', 'dropped', 'FAILED'],
    ['sms', 'bounce', undefined],
    ['email', 'something_new', undefined],
    ['email', 'toString', undefined],
  ] as const)('%s %s means %s', (channel, word, state) => {
    expect(reportedState(channel, word)).toBe(state);
  });

  it('knows a SendGrid message by the id of the answer and by the longer one of its events', () => {
    expect(isSameMessage('email', 'abc', 'abc.filter0001.1.2-1.0')).toBe(true);
    expect(isSameMessage('email', 'abc.filter0001.1.2-1.0', 'abc')).toBe(true);
    expect(isSameMessage('email', 'abc', 'abcd.filter0001')).toBe(false);
    expect(isSameMessage('sms', 'SM1', 'SM1.x')).toBe(false);
  });
});
