import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ACCOUNT_SID, API_KEY, AUTH_TOKEN, OUR_NUMBER, TENANT, startSandbox } from './start-sandbox.ts';
import { CLINIC_RESOURCES, appointment } from './ehr-access.ts';
import { eventually } from '../../support/eventually.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const PATIENT = '+15557654321';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterEach(() => sandbox.control.reset());

afterAll(async () => sandbox.close());

async function control(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${sandbox.url}/control${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

function sendText(body: string): Promise<Response> {
  return fetch(`${sandbox.url}/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${ACCOUNT_SID}:${AUTH_TOKEN}`)}` },
    body: new URLSearchParams({ To: PATIENT, From: OUR_NUMBER, Body: body }),
  });
}

function sendEmail(subject: string): Promise<Response> {
  return fetch(`${sandbox.url}/sendgrid/v3/mail/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      personalizations: [{ to: [{ email: 'ada@example.org' }] }],
      from: { email: 'clinic@example.org' },
      subject,
      content: [{ type: 'text/plain', value: 'See you tomorrow.' }],
    }),
  });
}

describe('the control API', () => {
  it('puts faults in place, lists them and removes them', async () => {
    const added = await control('POST', '/faults', { vendor: 'twilio', kind: 'status', status: 503, times: 1 });
    expect(added).toMatchObject({ status: 201, body: { id: expect.any(String), met: 0 } });
    expect((await sendText('one')).status).toBe(503);
    expect(await control('GET', '/faults')).toMatchObject({ body: [{ met: 1 }] });

    const { id } = (await control('POST', '/faults', { vendor: 'twilio', kind: 'drop' })).body as { id: string };
    expect(await control('DELETE', `/faults/${id}`)).toMatchObject({ status: 204 });
    expect((await sendText('two')).status).toBe(201);
    await control('DELETE', '/faults');
    expect((await control('GET', '/faults')).body).toEqual([]);
  });

  it.each([
    ['an unknown vendor', { vendor: 'fax', kind: 'drop' }],
    ['an unknown kind', { vendor: 'twilio', kind: 'explode' }],
    ['an unknown property', { vendor: 'twilio', kind: 'drop', colour: 'red' }],
    ['a number as text', { vendor: 'twilio', kind: 'status', status: '503' }],
  ])('refuses a fault with %s', async (_what, fault) => {
    expect(await control('POST', '/faults', fault)).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    expect(sandbox.control.faults.list()).toEqual([]);
  });

  it('lists messages by address and channel, newest first', async () => {
    await sendText('first');
    await sendText('second');
    await sendEmail('Your visit');
    expect((await control('GET', `/messages?to=${encodeURIComponent(PATIENT)}`)).body).toMatchObject([
      { channel: 'sms', text: 'second' },
      { channel: 'sms', text: 'first' },
    ]);
    expect((await control('GET', '/messages?channel=email')).body).toMatchObject([{ to: 'ada@example.org' }]);
    expect((await control('GET', '/messages')).body).toHaveLength(3);
    expect((await control('GET', '/messages?channel=fax')).status).toBe(400);
  });

  it('sends a patient’s text to the product', async () => {
    const product = await startWebhookReceiver();
    const inbound = { from: PATIENT, to: OUR_NUMBER, body: '1', url: `${product.url}/inbound` };
    expect(await control('POST', '/twilio/inbound', inbound)).toMatchObject({ status: 200, body: { status: 204 } });
    expect(product.received).toHaveLength(1);
    await product.close();
  });

  it('registers OAuth2 clients and signs tokens', async () => {
    const client = {
      clientId: 'desk',
      clientSecret: 's',
      claims: { role: 'clinic_admin', clinic_id: 'c-1' },
      scopes: ['clinic:write'],
    };
    expect(await control('POST', '/oauth2/clients', client)).toMatchObject({ status: 201 });
    const granted = await fetch(`${sandbox.url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'desk', client_secret: 's' }),
    });
    expect(granted.status).toBe(200);
    const order = { subject: 'x', claims: { role: 'operator' }, scopes: ['operations:read'] };
    expect(await control('POST', '/oauth2/tokens', order)).toMatchObject({
      body: { access_token: expect.stringMatching(/^ey/) },
    });
    expect((await control('POST', '/oauth2/clients', { ...client, claims: { role: 'king' } })).status).toBe(400);
  });

  it('seeds, sets up and shows an EHR', async () => {
    expect(await control('POST', `/ehr/${TENANT}/seed`, { resources: CLINIC_RESOURCES })).toMatchObject({
      status: 201,
    });
    await control('POST', `/ehr/${TENANT}/seed`, { resources: [appointment('a-1')] });
    expect((await control('GET', '/ehr')).body).toEqual([TENANT]);
    expect((await control('GET', `/ehr/${TENANT}/Appointment`)).body).toMatchObject([{ status: 'booked' }]);
    expect((await control('PUT', `/ehr/${TENANT}/settings`, { requireIfMatch: true })).body).toMatchObject({
      requireIfMatch: true,
      staleStatus: 412,
    });
    const invalid = await control('POST', `/ehr/${TENANT}/seed`, {
      resources: [appointment('a-2', { status: 'scheduled' })],
    });
    expect(invalid).toMatchObject({ status: 422, body: { resourceType: 'OperationOutcome' } });
  });

  it('changes the settings of the vendors', async () => {
    expect((await control('PUT', '/twilio/settings', { messagesPerSecond: 0 })).body).toMatchObject({
      messagesPerSecond: 0,
    });
    expect((await sendText('too fast')).status).toBe(429);
    await control('PUT', '/sendgrid/settings', { rateLimit: { limit: 0, windowMs: 1_000 } });
    expect((await sendEmail('too fast')).status).toBe(429);
    const { publicKey } = (await control('GET', '/sendgrid/webhook-key')).body as { publicKey: string };
    expect(publicKey).toBe(sandbox.control.sendgrid.webhookPublicKey);
  });

  it('forgets everything on reset', async () => {
    await sendText('one');
    await sendEmail('Your visit');
    await control('POST', `/ehr/${TENANT}/seed`, { resources: CLINIC_RESOURCES });
    await control('POST', '/faults', { vendor: 'twilio', kind: 'drop' });
    await control('PUT', '/twilio/settings', { messagesPerSecond: 0 });
    expect(await control('POST', '/reset')).toMatchObject({ status: 204 });
    expect((await control('GET', '/messages')).body).toEqual([]);
    expect((await control('GET', '/ehr')).body).toEqual([]);
    expect((await sendText('two')).status).toBe(201);
  });
});

describe('the inbox page', () => {
  async function page(path = '/'): Promise<string> {
    const response = await fetch(`${sandbox.url}${path}`);
    expect(response.headers.get('content-type')).toContain('text/html');
    return response.text();
  }

  it('says so when there is nothing yet', async () => {
    expect(await page()).toContain('No text message has been sent yet.');
  });

  it('shows texts, emails and the EHRs, with every text escaped', async () => {
    await sendText('<script>alert("x")</script> & more');
    await sendEmail('Your <visit>');
    sandbox.control.ehr.seed(TENANT, [...CLINIC_RESOURCES, appointment('a-1')]);
    await eventually(async () => {
      const html = await page();
      expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more');
      expect(html).not.toContain('<script>alert');
      expect(html).toContain('Your &lt;visit&gt;');
      expect(html).toContain('ada@example.org');
      expect(html.match(/class="state good">delivered/g)).toHaveLength(2);
      expect(html).toContain('booked, 2031-03-15T10:00:00Z');
      expect(html).toContain('Mei Lin');
    });
  });

  it('shows one address only when asked', async () => {
    await sendText('for this phone');
    await sendEmail('for this mailbox');
    const html = await page(`/?address=${encodeURIComponent(PATIENT)}`);
    expect(html).toContain('for this phone');
    expect(html).not.toContain('for this mailbox');
  });
});
