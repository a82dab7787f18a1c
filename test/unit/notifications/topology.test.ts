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
    expect(read(message)).toEqual({ is: 'message', message });
    expect(read({ ...message, requestId: 'r-1' })).toEqual({
      is: 'message',
      message: { ...message, requestId: 'r-1' },
    });
  });

  it('takes what the next release writes, with fields that this one does not know, and keeps them', () => {
    const newer = { ...message, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    expect(read(newer)).toEqual({ is: 'message', message: newer });
  });

  it.each([
    ['another schema version', { ...message, schemaVersion: 2 }],
    ['an unknown channel', { ...message, channel: 'fax' }],
    ['a missing field', { ...message, clinicId: undefined }],
    ['no instant', { ...message, now: 'yesterday' }],
    ['attempt 0', { ...message, attempt: 0 }],
    ['less than no errors', { ...message, errors: -1 }],
  ])('leaves to another release what it does not know: %s', (_name, body) => {
    expect(read(body)).toMatchObject({ is: 'unknown', body: { notificationId: message.notificationId } });
  });

  it.each([
    ['a list', JSON.stringify([message])],
    ['null', 'null'],
    ['no JSON', '{"schemaVersion":1'],
  ])('refuses what no release writes: %s', (_name, body) => {
    expect(readNotificationMessage(Buffer.from(body))).toEqual({ is: 'unreadable' });
  });

  it('refuses what is no text', () => {
    expect(readNotificationMessage(Buffer.from([0xff, 0x00]))).toEqual({ is: 'unreadable' });
  });
});
