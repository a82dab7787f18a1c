import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@sendgrid/client';
import { MailService } from '@sendgrid/mail';
import { API_KEY, startSandbox } from './start-sandbox.ts';
import { eventually } from '../../support/eventually.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';
import type { MailDataRequired } from '@sendgrid/mail';
import type { ReceivedWebhook, WebhookReceiver } from './webhook-receiver.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const PATIENT = 'ada@example.org';

let sandbox: Sandbox;
let product: WebhookReceiver;

beforeAll(async () => {
  product = await startWebhookReceiver();
  sandbox = await startSandbox({
    sendgrid: {
      apiKey: API_KEY,
      eventWebhookUrl: `${product.url}/callbacks/sendgrid`,
      settings: { deliveredMs: 1, eventBatchMs: 5 },
    },
  });
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

function client(apiKey = API_KEY): Client {
  const made = new Client();
  made.setApiKey(apiKey);
  made.setDefaultRequest('baseUrl', `${sandbox.url}/sendgrid/`);
  return made;
}

function mailer(apiKey = API_KEY, timeout = 5_000): MailService {
  const made = new MailService();
  made.setClient(client(apiKey));
  made.setTimeout(timeout);
  return made;
}

const EMAIL: MailDataRequired = {
  to: PATIENT,
  from: { email: 'clinic@example.org', name: 'Harbor Clinic' },
  subject: 'Your visit',
  text: 'See you tomorrow.',
  html: '<p>See you <b>tomorrow</b>.</p>',
  customArgs: { notificationId: 'n-1' },
};

/** The raw body of a request that is right. */
function rawMail(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    personalizations: [{ to: [{ email: PATIENT }] }],
    from: { email: 'clinic@example.org' },
    subject: 'Your visit',
    content: [{ type: 'text/plain', value: 'See you tomorrow.' }],
    ...changes,
  };
}

function post(body: unknown): Promise<Response> {
  return fetch(`${sandbox.url}/sendgrid/v3/mail/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function look(query: string): Promise<{ msg_id: string; status: string }[]> {
  const [response] = await client().request({ method: 'GET', url: '/v3/messages', qs: { query, limit: 10 } });
  return (response.body as { messages: { msg_id: string; status: string }[] }).messages;
}

function eventsOf(webhooks: readonly ReceivedWebhook[]): Record<string, unknown>[] {
  return webhooks.flatMap(({ body }) => JSON.parse(body) as Record<string, unknown>[]);
}

function isGenuine({ headers, body }: ReceivedWebhook, publicKey = sandbox.control.sendgrid.webhookPublicKey): boolean {
  const timestamp = String(headers['x-twilio-email-event-webhook-timestamp']);
  const signature = Buffer.from(String(headers['x-twilio-email-event-webhook-signature']), 'base64');
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  return verify('sha256', Buffer.from(timestamp + body), key, signature);
}

describe('sending an email', () => {
  it('accepts it with an id, delivers it and shows it in the inbox', async () => {
    const [response] = await mailer().send(EMAIL);
    expect(response.statusCode).toBe(202);
    expect(response.body).toBe('');
    const headers = response.headers as Record<string, string>;
    expect(headers['x-message-id']).toMatch(/^[\w-]{22}$/);
    expect(Number(headers['x-ratelimit-remaining'])).toBe(Number(headers['x-ratelimit-limit']) - 1);
    expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThan(1_700_000_000);

    await eventually(() => {
      expect(sandbox.control.messages({ to: PATIENT, channel: 'email' })).toMatchObject([
        {
          id: expect.stringContaining(headers['x-message-id'] ?? ''),
          subject: 'Your visit',
          text: 'See you tomorrow.',
          html: '<p>See you <b>tomorrow</b>.</p>',
          customArgs: { notificationId: 'n-1' },
          status: 'delivered',
        },
      ]);
    });
  });

  it('shows the text of an email that has only HTML', async () => {
    await post(rawMail({ content: [{ type: 'text/html', value: '<p>See you</p><p>tomorrow</p>' }] }));
    expect(sandbox.control.messages()).toMatchObject([{ text: 'See you\ntomorrow' }]);
  });

  it('sends nothing in sandbox mode', async () => {
    const [response] = await mailer().send({ ...EMAIL, mailSettings: { sandboxMode: { enable: true } } });
    expect(response.statusCode).toBe(200);
    expect(sandbox.control.messages()).toEqual([]);
  });

  it('refuses a wrong key', async () => {
    await expect(mailer('SG.wrong').send(EMAIL)).rejects.toMatchObject({ code: 401 });
  });

  it.each<[string, unknown, string | null]>([
    ['text that is not JSON', '{"from":', null],
    ['an unknown property', rawMail({ colour: 'red' }), 'colour'],
    ['an unknown property within', rawMail({ from: { email: 'a@example.org', phone: '1' } }), 'from.phone'],
    ['no personalizations', rawMail({ personalizations: [] }), 'personalizations'],
    ['a personalization without a recipient', rawMail({ personalizations: [{ to: [] }] }), 'personalizations.0.to'],
    [
      'a recipient that is no address',
      rawMail({ personalizations: [{ to: [{ email: 'ada' }] }] }),
      'personalizations.0.to.0.email',
    ],
    [
      'the same recipient twice',
      rawMail({ personalizations: [{ to: [{ email: PATIENT }], cc: [{ email: PATIENT.toUpperCase() }] }] }),
      'personalizations.0',
    ],
    ['no sender', rawMail({ from: undefined }), 'from'],
    ['a sender that is no address', rawMail({ from: { email: 'clinic' } }), 'from.email'],
    ['no subject', rawMail({ subject: '' }), 'subject'],
    ['no content', rawMail({ content: undefined }), 'content'],
    ['empty content', rawMail({ content: [{ type: 'text/plain', value: '' }] }), 'content.0.value'],
    [
      'HTML before text',
      rawMail({
        content: [
          { type: 'text/html', value: '<p>a</p>' },
          { type: 'text/plain', value: 'a' },
        ],
      }),
      'content',
    ],
    ['a custom argument that is no text', rawMail({ custom_args: { attempt: 1 } }), 'custom_args.attempt'],
    [
      'too many custom arguments',
      rawMail({ custom_args: { note: 'x'.repeat(10_000) } }),
      'personalizations.0.custom_args',
    ],
    ['a reserved header', rawMail({ headers: { 'Reply-To': 'x@example.org' } }), 'headers.Reply-To'],
    ['a date too far ahead', rawMail({ send_at: Math.floor(Date.now() / 1_000) + 80 * 3_600 }), 'send_at'],
    [
      'sandbox mode as text',
      rawMail({ mail_settings: { sandbox_mode: { enable: 'true' } } }),
      'mail_settings.sandbox_mode.enable',
    ],
  ])('refuses %s', async (_what, body, field) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: Record<string, unknown>[] };
    expect(errors).toContainEqual({
      message: expect.any(String),
      field,
      help: field === null ? null : expect.any(String),
    });
    expect(sandbox.control.messages()).toEqual([]);
  });

  it('refuses what is over the rate', async () => {
    sandbox.control.sendgrid.configure({ rateLimit: { limit: 1, windowMs: 60_000 } });
    await mailer().send(EMAIL);
    const refusal: unknown = await mailer()
      .send(EMAIL)
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 429,
      response: { headers: { 'x-ratelimit-remaining': '0' }, body: { errors: [{ message: 'too many requests' }] } },
    });
  });
});

describe('looking emails up', () => {
  it('finds an email by a custom argument, with double or single quotes', async () => {
    await mailer().send(EMAIL);
    await mailer().send({ ...EMAIL, customArgs: { notificationId: 'n-2' } });
    await eventually(async () => {
      expect(await look(`unique_args['notificationId']="n-2"`)).toMatchObject([
        { to_email: PATIENT, status: 'delivered' },
      ]);
    });
    const [found] = await look(`(unique_args["notificationId"] = 'n-1') AND to_email="${PATIENT}"`);
    expect(sandbox.control.messages().find(({ id }) => id === found?.msg_id)?.customArgs).toEqual({
      notificationId: 'n-1',
    });
    expect(await look(`unique_args['notificationId']="n-3"`)).toEqual([]);
  });

  it('finds an email by the X-Message-Id, and shows its events', async () => {
    const [response] = await mailer().send(EMAIL);
    const id = (response.headers as Record<string, string>)['x-message-id'] ?? '';
    await eventually(async () => {
      const [found] = await look(`msg_id LIKE '${id}%'`);
      const [detail] = await client().request({ method: 'GET', url: `/v3/messages/${found?.msg_id ?? ''}` });
      expect(detail.body).toMatchObject({ events: [{ event_name: 'processed' }, { event_name: 'delivered' }] });
    });
  });

  it('learns of an email late when it is told to', async () => {
    sandbox.control.sendgrid.configure({ activityDelayMs: 60_000 });
    await mailer().send(EMAIL);
    expect(await look(`unique_args['notificationId']="n-1"`)).toEqual([]);
  });

  it('refuses a query that it cannot read', async () => {
    await expect(look('notificationId is n-1')).rejects.toMatchObject({ code: 400 });
  });
});

describe('the event webhook', () => {
  it('posts signed batches with the custom arguments at the top level', async () => {
    await mailer().send(EMAIL);
    await eventually(() => expect(eventsOf(product.received)).toHaveLength(2));
    expect(eventsOf(product.received)).toMatchObject([
      { event: 'processed', email: PATIENT, notificationId: 'n-1' },
      { event: 'delivered', email: PATIENT, notificationId: 'n-1', response: expect.stringContaining('250') },
    ]);
    const [{ sg_message_id: messageId }] = eventsOf(product.received) as [{ sg_message_id: string }];
    expect(sandbox.control.messages()).toMatchObject([{ id: messageId }]);
    expect(product.received.map((webhook) => isGenuine(webhook))).not.toContain(false);
    expect(product.webhook(0).body.endsWith('\r\n')).toBe(true);
    expect(isGenuine({ ...product.webhook(0), body: product.webhook(0).body.trim() })).toBe(false);
  });

  it('signs with the key that it is given', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const own = await startSandbox({
      sendgrid: {
        apiKey: API_KEY,
        eventWebhookUrl: `${product.url}/own`,
        webhookPrivateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
      },
    });
    const expected = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    expect(own.control.sendgrid.webhookPublicKey).toBe(expected);
    await own.close();
  });

  it('repeats a batch that was not taken, with the same event ids', async () => {
    product.answers.push({ status: 500 });
    sandbox.control.sendgrid.configure({ deliveredMs: 0, eventBatchMs: 50 });
    await mailer().send(EMAIL);
    await eventually(() => expect(product.received.length).toBeGreaterThanOrEqual(2));
    const [, ...later] = product.received;
    const ids = eventsOf([product.webhook(0)]).map((event) => event['sg_event_id']);
    expect(eventsOf(later).map((event) => event['sg_event_id'])).toEqual(expect.arrayContaining(ids));
  });

  it('reports a bounce on command, and sends nothing more to that address', async () => {
    sandbox.control.faults.add({ vendor: 'sendgrid', times: 1, deliveryFailure: { errorCode: '5.1.1' } });
    await mailer().send(EMAIL);
    await eventually(() => {
      expect(eventsOf(product.received)).toMatchObject([
        { event: 'processed' },
        { event: 'bounce', type: 'bounce', status: '5.1.1' },
      ]);
    });
    product.received.length = 0;
    await mailer().send(EMAIL);
    await eventually(() =>
      expect(eventsOf(product.received)).toMatchObject([{ event: 'dropped', reason: 'Bounced Address' }]),
    );
    expect(sandbox.control.messages().map(({ status }) => status)).toEqual(['dropped', 'bounced']);
  });

  it('reports a block on command, which is not for good', async () => {
    sandbox.control.faults.add({ vendor: 'sendgrid', times: 1, deliveryFailure: { errorCode: '4.2.2' } });
    await mailer().send(EMAIL);
    await eventually(() =>
      expect(eventsOf(product.received)).toMatchObject([{}, { event: 'bounce', type: 'blocked' }]),
    );
    await mailer().send(EMAIL);
    await eventually(() =>
      expect(sandbox.control.messages()).toMatchObject([{ status: 'delivered' }, { status: 'bounced' }]),
    );
  });

  it('forges, repeats and reverses on command', async () => {
    sandbox.control.faults.add({ vendor: 'sendgrid', times: 1, webhooks: 'twice' });
    await mailer().send(EMAIL);
    await eventually(() => expect(eventsOf(product.received)).toHaveLength(4));
    expect(new Set(eventsOf(product.received).map((event) => event['sg_event_id'])).size).toBe(2);

    product.received.length = 0;
    sandbox.control.faults.add({ vendor: 'sendgrid', times: 1, webhooks: 'reversed' });
    await mailer().send(EMAIL);
    await eventually(() =>
      expect(eventsOf(product.received)).toMatchObject([{ event: 'delivered' }, { event: 'processed' }]),
    );

    product.received.length = 0;
    sandbox.control.faults.add({ vendor: 'sendgrid', times: 1, webhooks: 'forged' });
    await mailer().send(EMAIL);
    await eventually(() => expect(eventsOf(product.received)).toHaveLength(2));
    expect(product.received.map((webhook) => isGenuine(webhook))).not.toContain(true);
  });
});

describe('faults on command', () => {
  it('refuses with Retry-After', async () => {
    sandbox.control.faults.add({
      vendor: 'sendgrid',
      match: { to: PATIENT },
      kind: 'status',
      status: 503,
      retryAfter: 7,
      times: 1,
    });
    const refusal: unknown = await mailer()
      .send(EMAIL)
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 503, response: { headers: { 'retry-after': '7' } } });
    expect(sandbox.control.messages()).toEqual([]);
  });

  it('sends the email and hangs; it can be looked up', async () => {
    sandbox.control.faults.add({
      vendor: 'sendgrid',
      kind: 'accept-then-hang',
      match: { path: '/mail/send' },
      times: 1,
    });
    await expect(mailer(API_KEY, 1_500).send(EMAIL)).rejects.toMatchObject({ code: 'ECONNABORTED' });
    expect(await look(`unique_args['notificationId']="n-1"`)).toHaveLength(1);
  });
});
