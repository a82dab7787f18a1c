import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import twilio from 'twilio';
import { ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER, startSandbox } from './start-sandbox.ts';
import { eventually } from '../../support/eventually.ts';
import { signTwilioWebhook } from '../../../sandbox/twilio/signature.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';
import type { ReceivedWebhook, WebhookReceiver } from './webhook-receiver.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const PATIENT = '+15557654321';

let sandbox: Sandbox;
let product: WebhookReceiver;

beforeAll(async () => {
  sandbox = await startSandbox();
  product = await startWebhookReceiver();
});

afterEach(() => {
  sandbox.control.reset();
  product.received.length = 0;
  product.answers.length = 0;
});

afterAll(async () => {
  await sandbox.close();
  await product.close();
});

function client(authToken = AUTH_TOKEN, timeout = 5_000) {
  const made = twilio(ACCOUNT_SID, authToken, { timeout });
  made.api.baseUrl = `${sandbox.url}/twilio`;
  return made;
}

function send(changes: Record<string, unknown> = {}, made = client()) {
  return made.messages.create({ to: PATIENT, from: OUR_NUMBER, body: 'Your visit is tomorrow.', ...changes });
}

function formOf(webhook: ReceivedWebhook): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(webhook.body));
}

function isGenuine(webhook: ReceivedWebhook): boolean {
  const signature = String(webhook.headers['x-twilio-signature']);
  return twilio.validateRequest(AUTH_TOKEN, signature, `${product.url}${webhook.url}`, formOf(webhook));
}

describe('sending a text', () => {
  it('accepts a message, delivers it and shows it in the inbox', async () => {
    const message = await send();
    expect(message).toMatchObject({
      accountSid: ACCOUNT_SID,
      body: 'Your visit is tomorrow.',
      direction: 'outbound-api',
      errorCode: null,
      numMedia: '0',
      numSegments: '1',
      status: 'queued',
      to: PATIENT,
      from: OUR_NUMBER,
    });
    expect(message.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(message.dateCreated).toBeInstanceOf(Date);
    expect(message.dateSent).toBeNull();

    await eventually(async () => {
      const read = await client().messages(message.sid).fetch();
      expect(read.status).toBe('delivered');
      expect(read.dateSent).toBeInstanceOf(Date);
    });
    expect(sandbox.control.messages({ to: PATIENT, channel: 'sms' })).toMatchObject([
      { id: message.sid, text: 'Your visit is tomorrow.', status: 'delivered' },
    ]);
  });

  it.each([
    ['a'.repeat(160), '1'],
    ['a'.repeat(161), '2'],
    ['a'.repeat(306), '2'],
    ['a'.repeat(307), '3'],
    ['€'.repeat(80), '1'],
    ['€'.repeat(81), '2'],
    ['\u{2019}' + 'a'.repeat(69), '1'],
    ['\u{2019}' + 'a'.repeat(70), '2'],
    ['\u{1F600}'.repeat(35), '1'],
    ['\u{1F600}'.repeat(67), '3'],
  ])('counts the parts of a text (case %#)', async (body, segments) => {
    expect(await send({ body })).toMatchObject({ numSegments: segments });
  });

  it.each([
    ['a recipient that is not E.164', { to: '555-1234' }, 21211],
    ['no recipient', { to: '' }, 21604],
    ['somebody else’s sender', { from: '+15559999999' }, 21606],
    ['an empty text', { body: '' }, 21602],
    ['a text of 1601 characters', { body: 'a'.repeat(1_601) }, 21617],
    ['a relative callback', { statusCallback: '/callbacks/twilio' }, 21609],
    ['a callback of another scheme', { statusCallback: 'ftp://example.org/x' }, 21609],
    ['a validity of zero seconds', { validityPeriod: 0 }, 21624],
    ['a validity of more than ten hours', { validityPeriod: 36_001 }, 21624],
    ['a parameter the sandbox does not act on', { mediaUrl: ['https://example.org/a.png'] }, 20001],
    ['the magic number without SMS', { to: '+15005550009' }, 21614],
    ['the magic number that cannot be reached', { to: '+15005550002' }, 21612],
    ['the magic number of a region without permission', { to: '+15005550003' }, 21408],
    ['the magic number that has opted out', { to: '+15005550004' }, 21610],
    ['the magic sender that is invalid', { from: '+15005550001' }, 21212],
    ['the magic sender with a full queue', { from: '+15005550008' }, 21611],
  ])('refuses %s', async (_what, changes, code) => {
    await expect(send(changes)).rejects.toMatchObject({
      status: 400,
      code,
      moreInfo: `https://www.twilio.com/docs/errors/${String(code)}`,
    });
    expect(sandbox.control.messages()).toEqual([]);
  });

  it('refuses an unknown parameter', async () => {
    const response = await fetch(`${sandbox.url}/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${ACCOUNT_SID}:${AUTH_TOKEN}`)}` },
      body: new URLSearchParams({ To: PATIENT, From: OUR_NUMBER, Body: 'x', Colour: 'red' }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 20001, status: 400 });
  });

  it('refuses a wrong token', async () => {
    await expect(send({}, client('wrong'))).rejects.toMatchObject({ status: 401, code: 20003 });
  });

  it('answers 404 for a message that does not exist', async () => {
    await expect(
      client()
        .messages(`SM${'0'.repeat(32)}`)
        .fetch(),
    ).rejects.toMatchObject({ status: 404, code: 20404 });
  });

  it('refuses what is over the rate, with Retry-After', async () => {
    sandbox.control.twilio.configure({ messagesPerSecond: 0 });
    await expect(send()).rejects.toMatchObject({ status: 429, code: 20429 });
    const response = await fetch(`${sandbox.url}/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${ACCOUNT_SID}:${AUTH_TOKEN}`)}` },
      body: new URLSearchParams({ To: PATIENT, From: OUR_NUMBER, Body: 'x' }),
    });
    expect(response.headers.get('retry-after')).toBe('1');
  });
});

describe('looking messages up', () => {
  it('lists by recipient and day, newest first, in pages', async () => {
    const bodies = ['one', 'two', 'three', 'four', 'five'];
    for (const body of bodies) await send({ body });
    await send({ to: '+15550001111', body: 'for somebody else' });

    const listed = await client().messages.list({
      to: PATIENT,
      dateSentAfter: new Date(Date.now() - 60_000),
      pageSize: 2,
    });
    expect(listed.map(({ body }) => body)).toEqual(bodies.toReversed());
    expect(await client().messages.list({ to: PATIENT, dateSentAfter: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await client().messages.list({ to: PATIENT, dateSentBefore: new Date(Date.now() - 60_000) })).toEqual([]);
    expect(await client().messages.list({ to: PATIENT, limit: 2 })).toHaveLength(2);
  });
});

describe('status callbacks', () => {
  it('are signed as in Twilio’s own example', () => {
    const fields = {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675309',
      Digits: '1234',
      From: '+14158675309',
      To: '+18005551212',
    };
    const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
    expect(signTwilioWebhook('12345', url, fields)).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
  });

  it('tells each status in order, signed over the whole URL', async () => {
    const statusCallback = `${product.url}/callbacks/twilio?notification=42&x=a%20b`;
    const { sid } = await send({ statusCallback });
    await eventually(() => expect(product.received).toHaveLength(2));
    expect(product.received.map((webhook) => formOf(webhook)['MessageStatus'])).toEqual(['sent', 'delivered']);
    expect(formOf(product.webhook(1))).toEqual({
      AccountSid: ACCOUNT_SID,
      ApiVersion: '2010-04-01',
      From: OUR_NUMBER,
      MessageSid: sid,
      MessageStatus: 'delivered',
      SmsSid: sid,
      SmsStatus: 'delivered',
      To: PATIENT,
    });
    expect(product.received.map(isGenuine)).toEqual([true, true]);
    expect(product.webhook(0).url).toBe('/callbacks/twilio?notification=42&x=a%20b');
  });

  it('reports a delivery that fails on command, with its code', async () => {
    sandbox.control.faults.add({
      vendor: 'twilio',
      match: { to: PATIENT },
      times: 1,
      deliveryFailure: { errorCode: 30003 },
    });
    const { sid } = await send({ statusCallback: `${product.url}/status` });
    await eventually(() => expect(product.received).toHaveLength(2));
    expect(formOf(product.webhook(1))).toMatchObject({ MessageStatus: 'undelivered', ErrorCode: '30003' });
    expect(await client().messages(sid).fetch()).toMatchObject({ status: 'undelivered', errorCode: 30003 });

    const second = await send();
    await eventually(async () => expect((await client().messages(second.sid).fetch()).status).toBe('delivered'));
  });

  it.each([
    ['none', []],
    ['twice', ['sent', 'sent', 'delivered', 'delivered']],
    ['reversed', ['delivered', 'sent']],
  ] as const)('tells %s on command', async (webhooks, expected) => {
    sandbox.control.faults.add({ vendor: 'twilio', webhooks, times: 1 });
    const statusCallback = `${product.url}/status`;
    await send({ statusCallback });
    const control = await send({ statusCallback: `${product.url}/control` });
    await eventually(() => {
      expect(product.received.filter(({ url }) => url === '/control')).toHaveLength(2);
      expect(product.received.filter(({ url }) => url === '/status')).toHaveLength(expected.length);
    });
    const told = product.received
      .filter(({ url }) => url === '/status')
      .map((webhook) => formOf(webhook)['MessageStatus']);
    expect(told).toEqual(expected);
    expect(control.sid).toBeTruthy();
  });

  it('forges signatures on command', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', webhooks: 'forged', times: 1 });
    await send({ statusCallback: `${product.url}/status` });
    await eventually(() => expect(product.received).toHaveLength(2));
    expect(product.received.map(isGenuine)).toEqual([false, false]);
  });

  it('repeats a refused callback only when the URL asks for it', async () => {
    product.answers.push({ status: 503 }, { status: 503 });
    await send({ statusCallback: `${product.url}/status` });
    await eventually(() => expect(product.received).toHaveLength(2));
    expect(product.received.map((webhook) => formOf(webhook)['MessageStatus'])).toEqual(['sent', 'delivered']);

    product.received.length = 0;
    product.answers.push({ status: 503 }, { status: 503 });
    await send({ statusCallback: `${product.url}/status#rc=2&rp=5xx` });
    await eventually(() => expect(product.received).toHaveLength(4));
    expect(product.received.map((webhook) => formOf(webhook)['MessageStatus'])).toEqual([
      'sent',
      'sent',
      'sent',
      'delivered',
    ]);
    expect(product.received.map(isGenuine)).toEqual([true, true, true, true]);
  });
});

describe('faults on command', () => {
  it('refuses with a status, so many times', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'status', status: 503, times: 2 });
    await expect(send()).rejects.toMatchObject({ status: 503, code: 20503 });
    await expect(send()).rejects.toMatchObject({ status: 503 });
    await expect(send()).resolves.toMatchObject({ status: 'queued' });
    expect(sandbox.control.messages()).toHaveLength(1);
    expect(sandbox.control.faults.list()).toMatchObject([{ kind: 'status', met: 2 }]);
  });

  it('answers with a proxy’s HTML page', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'status', status: 502, html: true, times: 1 });
    const refusal: unknown = await send().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 502 });
    expect(refusal).not.toHaveProperty('code');
  });

  it('hangs before anything happens', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'timeout-before', ms: 60_000, times: 1 });
    await expect(send({}, client(AUTH_TOKEN, 100))).rejects.toMatchObject({ code: 'ECONNABORTED' });
    expect(sandbox.control.messages()).toEqual([]);
  });

  it('drops the connection before anything happens', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'drop', times: 1 });
    await expect(send()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.control.messages()).toEqual([]);
  });

  it('sends the message and hangs; the message can be looked up', async () => {
    sandbox.control.faults.add({
      vendor: 'twilio',
      match: { bodyIncludes: 'ref 17' },
      kind: 'accept-then-hang',
      times: 1,
    });
    await expect(send({ body: 'Hello, ref 17' }, client(AUTH_TOKEN, 1_500))).rejects.toMatchObject({
      code: 'ECONNABORTED',
    });
    const [found] = await client().messages.list({ to: PATIENT, dateSentAfter: new Date(Date.now() - 60_000) });
    expect(found).toMatchObject({ body: 'Hello, ref 17' });
  });

  it('sends the message and drops the connection; the callback still comes', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', match: { to: PATIENT }, kind: 'accept-then-drop', times: 1 });
    await expect(send({ statusCallback: `${product.url}/status?id=9` })).rejects.toMatchObject({ code: 'ECONNRESET' });
    await eventually(() => expect(product.received).toHaveLength(2));
    expect(sandbox.control.messages()).toMatchObject([{ status: 'delivered' }]);
  });

  it('applies only to what matches', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', match: { to: '+15550001111' }, kind: 'status', status: 500 });
    sandbox.control.faults.add({ vendor: 'sendgrid', kind: 'status', status: 500 });
    await expect(send()).resolves.toMatchObject({ status: 'queued' });
    await expect(send({ to: '+15550001111' })).rejects.toMatchObject({ status: 500, code: 20500 });
    sandbox.control.faults.clear();
    await expect(send({ to: '+15550001111' })).resolves.toMatchObject({ status: 'queued' });
  });
});

describe('a patient’s text', () => {
  const text = (body: string) => ({
    from: PATIENT,
    to: OUR_NUMBER,
    body,
    url: `${product.url}/callbacks/twilio/inbound`,
  });

  it('reaches the product, signed, and its answer reaches the patient', async () => {
    product.answers.push({
      status: 200,
      body: '<?xml version="1.0"?><Response><Message>Thanks &amp; see you</Message></Response>',
    });
    const result = await sandbox.control.twilio.inbound(text('1'));
    expect(result).toMatchObject({ status: 200, replies: ['Thanks & see you'] });
    expect(formOf(product.webhook(0))).toMatchObject({
      MessageSid: result.sid,
      From: PATIENT,
      To: OUR_NUMBER,
      Body: '1',
      NumMedia: '0',
      SmsStatus: 'received',
    });
    expect(isGenuine(product.webhook(0))).toBe(true);
    expect(sandbox.control.messages({ channel: 'sms' }).map(({ direction, text: body }) => [direction, body])).toEqual([
      ['outbound', 'Thanks & see you'],
      ['inbound', '1'],
    ]);
  });

  it.each(['STOP', ' stop ', 'Cancel', 'UNSUBSCRIBE'])('opts out with %j and in again with START', async (word) => {
    const stopped = await sandbox.control.twilio.inbound(text(word));
    expect(stopped).toMatchObject({ status: 204 });
    expect(stopped.replies).toHaveLength(1);
    await expect(send()).rejects.toMatchObject({ status: 400, code: 21610 });
    expect(sandbox.control.twilio.optOuts()).toEqual([{ patient: PATIENT, sender: OUR_NUMBER }]);

    await sandbox.control.twilio.inbound(text('START'));
    await expect(send()).resolves.toMatchObject({ status: 'queued' });
  });

  it('does not opt out with a sentence', async () => {
    await sandbox.control.twilio.inbound(text('please stop by at nine'));
    await expect(send()).resolves.toMatchObject({ status: 'queued' });
  });

  it('says so when the product does not answer', async () => {
    const nobody = { ...text('1'), url: 'http://127.0.0.1:1/inbound' };
    expect(await sandbox.control.twilio.inbound(nobody)).toMatchObject({ error: expect.any(String), replies: [] });
  });
});
