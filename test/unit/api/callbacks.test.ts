import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { generateKeyPairSync, sign } from 'node:crypto';
import { verifySendgridSignature } from '../../../src/integrations/sendgrid/signature.ts';
import { verifyTwilioSignature } from '../../../src/integrations/twilio/signature.ts';
import type { ProviderReport } from '../../../src/notifications/ledger/reports.ts';
import { signTwilioWebhook } from '../../../sandbox/twilio/signature.ts';
import { anApi, MISSING } from './api-under-test.ts';

const AUTH_TOKEN = 'the-account-s-auth-token';
const PUBLIC_URL = 'https://api.test';
const NOTIFICATION = '01980000-0000-7000-8000-00000000b001';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const webhookKey = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

let api: FastifyInstance;
let settled: ProviderReport[] = [];

beforeAll(async () => {
  api = await anApi({
    callbacks: {
      isFromTwilio: ({ path, fields, signature }) =>
        verifyTwilioSignature(AUTH_TOKEN, `${PUBLIC_URL}${path}`, fields, signature),
      isFromSendgrid: (request) => verifySendgridSignature(webhookKey, request, Date.now()),
      settle: (reports) => {
        settled.push(...reports);
        return Promise.resolve();
      },
    },
  });
});
beforeEach(() => {
  settled = [];
});
afterAll(() => api.close());

describe('Twilio’s status callback', () => {
  const path = (id = NOTIFICATION) => `/api/v1/callbacks/twilio/status/${id}`;
  const fields = { MessageSid: 'SM0123', MessageStatus: 'undelivered', ErrorCode: '30003', To: '+15005550006' };
  const post = (given: { url?: string; body?: Record<string, string>; signature?: string }) => {
    const { url = path(), body = fields } = given;
    const signature = given.signature ?? signTwilioWebhook(AUTH_TOKEN, `${PUBLIC_URL}${url}`, body);
    return api.inject({
      method: 'POST',
      url,
      payload: new URLSearchParams(body).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        ...(signature === '' ? {} : { 'x-twilio-signature': signature }),
      },
    });
  };

  it('settles the message that its address names', async () => {
    const response = await post({});
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 204, body: '' });
    expect(settled).toEqual([
      {
        channel: 'sms',
        notificationId: NOTIFICATION,
        providerMessageId: 'SM0123',
        providerState: 'undelivered',
        errorCode: '30003',
      },
    ]);
  });

  it('is refused, and nothing settled, unless the signature covers this address and these fields', async () => {
    const good = signTwilioWebhook(AUTH_TOKEN, `${PUBLIC_URL}${path()}`, fields);
    for (const forged of [
      { signature: '' },
      { signature: 'bm9uc2Vuc2U=' },
      { signature: signTwilioWebhook('another-token', `${PUBLIC_URL}${path()}`, fields) },
      { signature: good, body: { ...fields, MessageStatus: 'delivered' } },
      { signature: good, url: path(MISSING) },
      { signature: good, url: `${path()}?x=1` },
      { signature: signTwilioWebhook(AUTH_TOKEN, `http://api.test${path()}`, fields) },
    ]) {
      const response = await post(forged);
      expect(response.statusCode).toBe(403);
      expect(response.json()).toMatchObject({ code: 'signature_invalid' });
    }
    expect(settled).toEqual([]);
  });

  it('needs no token and counts towards no limit', async () => {
    expect((await post({})).headers['ratelimit']).toBeUndefined();
  });

  it('is a form', async () => {
    const response = await api.inject({ method: 'POST', url: path(), payload: fields });
    expect(response.statusCode).toBe(415);
  });
});

describe('SendGrid’s events', () => {
  const now = () => String(Math.floor(Date.now() / 1_000));
  const post = (body: string, given: { timestamp?: string; signature?: string } = {}) => {
    const timestamp = given.timestamp ?? now();
    return api.inject({
      method: 'POST',
      url: '/api/v1/callbacks/sendgrid/events',
      payload: body,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'x-twilio-email-event-webhook-timestamp': timestamp,
        'x-twilio-email-event-webhook-signature':
          given.signature ?? sign('sha256', Buffer.from(`${timestamp}${body}`), privateKey).toString('base64'),
      },
    });
  };
  const event = {
    event: 'bounce',
    email: 'someone@patients.example',
    reason: '550 someone@patients.example is unknown',
    status: '5.1.1',
    timestamp: 1_893_578_400,
    sg_event_id: 'e1',
    sg_message_id: 'abc.filter1',
    notificationId: NOTIFICATION,
    clinicId: 'x',
  };

  it('settle each message they are about, without what the provider says in words', async () => {
    const response = await post(`${JSON.stringify([event, { event: 'processed', sg_event_id: 'e2' }])}\r\n`);
    expect({ status: response.statusCode, body: response.body }).toEqual({ status: 204, body: '' });
    expect(settled).toEqual([
      {
        channel: 'email',
        notificationId: NOTIFICATION,
        providerMessageId: 'abc.filter1',
        providerState: 'bounce',
        errorCode: '5.1.1',
        occurredAt: new Date(1_893_578_400_000),
      },
    ]);
  });

  it('are refused unless the signature covers the body, byte for byte, and its time', async () => {
    const body = JSON.stringify([event]);
    const timestamp = now();
    const signature = sign('sha256', Buffer.from(`${timestamp}${body}`), privateKey).toString('base64');
    expect((await post(body, { timestamp, signature })).statusCode).toBe(204);
    settled = [];
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const old = String(Number(timestamp) - 600);
    for (const response of [
      await post(`${body} `, { timestamp, signature }),
      await post(body, { timestamp: String(Number(timestamp) + 1), signature }),
      await post(body, {
        timestamp,
        signature: sign('sha256', Buffer.from(`${timestamp}${body}`), other).toString('base64'),
      }),
      await post(body, {
        timestamp: old,
        signature: sign('sha256', Buffer.from(`${old}${body}`), privateKey).toString('base64'),
      }),
      await post(body, { timestamp, signature: '' }),
    ]) {
      expect(response.statusCode).toBe(403);
      expect(response.json()).toMatchObject({ code: 'signature_invalid' });
    }
    expect(settled).toEqual([]);
  });

  it('may be about nothing of ours', async () => {
    const events = [
      { ...event, notificationId: 'x' },
      { ...event, notificationId: undefined },
    ];
    expect((await post(JSON.stringify(events))).statusCode).toBe(204);
    expect((await post('[]')).statusCode).toBe(204);
    expect(settled).toEqual([]);
  });

  it('are a list', async () => {
    expect((await post('{}')).statusCode).toBe(400);
    expect((await post('[')).json()).toMatchObject({ code: 'malformed_json' });
    expect((await post('[{"__proto__":{"a":1}}]')).json()).toMatchObject({ code: 'malformed_json' });
  });

  it('are not parsed unless they are signed', async () => {
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const body of [nested, '{', '[{"event":1}]']) {
      const response = await post(body, { signature: 'bm9uc2Vuc2U=' });
      expect({ status: response.statusCode, ...response.json<object>() }).toMatchObject({
        status: 403,
        code: 'signature_invalid',
      });
    }
  });

  it('are counted by address when they are not signed, and not when they are', async () => {
    const counted: string[] = [];
    let room = true;
    const own = await anApi({
      callbacks: { isFromSendgrid: ({ signature }) => signature === 'good', settle: () => Promise.resolve() },
      limiter: (key) => {
        counted.push(key);
        return Promise.resolve({ allowed: room, remaining: 0, roomInMs: 1_000 });
      },
    });
    const send = (signature: string) =>
      own.inject({
        method: 'POST',
        url: '/api/v1/callbacks/sendgrid/events',
        payload: [],
        headers: { 'x-twilio-email-event-webhook-signature': signature },
      });
    expect((await send('good')).statusCode).toBe(204);
    expect(counted).toEqual([]);
    expect((await send('bad')).statusCode).toBe(403);
    expect(counted).toEqual(['address:127.0.0.1']);
    room = false;
    expect((await send('bad')).statusCode).toBe(429);
    expect((await send('good')).statusCode).toBe(204);
    await own.close();
  });
});
