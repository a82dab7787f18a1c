import { describe, expect, it } from '@jest/globals';
import { readNotificationMessage } from '../../../src/notifications/message.ts';
import { createTopology } from '../../../src/notifications/topology.ts';

describe('the queues', () => {
  const topology = createTopology({
    prefix: 'x.',
    retryDelaysMs: [10_000],
    lookUpDelaysMs: [1_500, 60_000, 3_600_000],
  });

  it('carry the prefix', () => {
    expect(topology.workQueue).toEqual({ sms: 'x.notifications.sms', email: 'x.notifications.email' });
    expect(topology.deadLetterQueue).toBe('x.notifications.dead');
  });

  it.each([
    [0, 'x.notifications.sms.delay.1500ms'],
    [1_501, 'x.notifications.sms.delay.10s'],
    [10_000, 'x.notifications.sms.delay.10s'],
    [10_001, 'x.notifications.sms.delay.1m'],
    [86_400_000, 'x.notifications.sms.delay.1h'],
  ])('let a message wait at least %d ms, or as long as there is', (delayMs, queue) => {
    expect(topology.delayQueue('sms', delayMs)).toBe(queue);
  });
});

describe('the ladder of retries', () => {
  it('outlasts an outage of an hour', () => {
    expect(createTopology({ prefix: '' }).retryDelaysMs).toEqual([10_000, 60_000, 600_000, 3_600_000]);
  });
});

describe('reading a message', () => {
  const message = {
    schemaVersion: 1,
    notificationId: '0190a6a0-0000-5000-8000-000000000001',
    clinicId: '0190a6a0-0000-7000-8000-000000000002',
    appointmentId: '0190a6a0-0000-7000-8000-000000000003',
    channel: 'sms',
    now: '2027-03-13T15:00:00.000Z',
    attempt: 1,
  };
  const read = (body: unknown) => readNotificationMessage(Buffer.from(JSON.stringify(body)));

  it('takes what the publisher writes', () => {
    expect(read(message)).toEqual(message);
    expect(read({ ...message, requestId: 'r-1' })).toEqual({ ...message, requestId: 'r-1' });
  });

  it.each([
    ['another schema version', { ...message, schemaVersion: 2 }],
    ['an unknown channel', { ...message, channel: 'fax' }],
    ['an unknown field', { ...message, phone: '+15005550006' }],
    ['a missing field', { ...message, clinicId: undefined }],
    ['no instant', { ...message, now: 'yesterday' }],
    ['attempt 0', { ...message, attempt: 0 }],
    ['less than no errors', { ...message, errors: -1 }],
    ['a list', [message]],
    ['null', null],
  ])('refuses %s', (_name, body) => {
    expect(read(body)).toBeUndefined();
  });

  it('refuses what is not JSON', () => {
    expect(readNotificationMessage(Buffer.from('{"schemaVersion":1'))).toBeUndefined();
    expect(readNotificationMessage(Buffer.from([0xff, 0x00]))).toBeUndefined();
  });
});
