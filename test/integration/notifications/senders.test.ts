import { randomInt, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppError } from '../../../src/domain/errors.ts';
import { createEmailSender, type EmailSender } from '../../../src/integrations/sendgrid/email-sender.ts';
import { createSmsSender, type SmsSender } from '../../../src/integrations/twilio/sms-sender.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { ACCOUNT_SID, API_KEY, AUTH_TOKEN, OUR_NUMBER, startSandbox } from '../sandbox/start-sandbox.ts';
import { OUR_ADDRESS } from './world.ts';

/** For an answer that never comes; for one that does a slow machine has more. */
const TIMEOUT_MS = 500;

describe('the senders', () => {
  let sandbox: Sandbox;
  let sms: SmsSender;
  let email: EmailSender;
  const senders = (
    given: { twilioUrl?: string; sendgridUrl?: string; absenceProvenAfterMs?: number; timeoutMs?: number } = {},
  ) => ({
    sms: createSmsSender({
      accountSid: ACCOUNT_SID,
      authToken: AUTH_TOKEN,
      from: OUR_NUMBER,
      baseUrl: given.twilioUrl ?? `${sandbox.url}/twilio`,
      statusCallbackUrl: (id) => `http://127.0.0.1:1/status/${id}`,
      timeoutMs: given.timeoutMs ?? 5_000,
      ...(given.absenceProvenAfterMs === undefined ? {} : { absenceProvenAfterMs: given.absenceProvenAfterMs }),
    }),
    email: createEmailSender({
      apiKey: API_KEY,
      from: OUR_ADDRESS,
      baseUrl: given.sendgridUrl ?? `${sandbox.url}/sendgrid`,
      timeoutMs: given.timeoutMs ?? 5_000,
      ...(given.absenceProvenAfterMs === undefined ? {} : { absenceProvenAfterMs: given.absenceProvenAfterMs }),
    }),
  });

  beforeAll(async () => {
    sandbox = await startSandbox();
    ({ sms, email } = senders());
  });
  afterEach(() => sandbox.control.faults.clear());
  afterAll(() => sandbox.close());

  const anSms = () => ({
    notificationId: randomUUID(),
    to: `+1555${randomInt(1_000_000, 9_999_999)}`,
    body: `Visit ${randomUUID()}`,
    validForSeconds: 3_600,
  });
  const anEmail = () => ({
    notificationId: randomUUID(),
    clinicId: randomUUID(),
    to: `${randomUUID()}@patients.example`,
    subject: 'Your visit',
    text: 'Your visit',
    html: '<p>Your visit</p>',
  });
  const longAgo = () => new Date(Date.now() - 3_600_000);

  it('give back the provider’s id', async () => {
    const message = anSms();
    const { providerMessageId } = await sms.send(message);
    const [sent] = sandbox.control.messages({ to: message.to });
    expect(sent).toMatchObject({ id: providerMessageId, text: message.body, from: OUR_NUMBER });
    expect(sent?.statusCallback).toBe(`http://127.0.0.1:1/status/${message.notificationId}#rc=5&rp=ct,rt,5xx`);

    const mail = anEmail();
    const answer = await email.send(mail);
    const [delivered] = sandbox.control.messages({ to: mail.to });
    expect(delivered?.id.startsWith(`${answer.providerMessageId}.`)).toBe(true);
    expect(delivered).toMatchObject({ subject: mail.subject, html: mail.html, from: OUR_ADDRESS });
  });

  it.each([0.2, 40_000, 3 * 86_400])('keep the validity within what Twilio takes: %d s', async (validForSeconds) => {
    await expect(sms.send({ ...anSms(), validForSeconds })).resolves.toBeDefined();
  });

  it('keep the code, the status and Retry-After of a refusal', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'status', status: 429, retryAfter: 7 });
    await expect(sms.send(anSms())).rejects.toMatchObject({
      code: 'provider_refused',
      detail: { status: 429, providerCode: '20429', retryAfterSeconds: 7 },
    });
    sandbox.control.faults.add({ vendor: 'sendgrid', kind: 'status', status: 429, retryAfter: 9 });
    await expect(email.send(anEmail())).rejects.toMatchObject({
      code: 'provider_refused',
      detail: { status: 429, retryAfterSeconds: 9 },
    });
  });

  it('know from SendGrid’s X-RateLimit-Reset when to come again', async () => {
    const reset = Math.floor(Date.now() / 1_000) + 90;
    const limited = createServer((_request, response) => {
      response.writeHead(429, { 'x-ratelimit-reset': String(reset), 'content-type': 'application/json' }).end('{}');
    });
    await new Promise<void>((resolve) => limited.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = limited.address() as AddressInfo;
      const { email: sender } = senders({ sendgridUrl: `http://127.0.0.1:${port}` });
      const error = (await sender.send(anEmail()).catch((thrown: unknown) => thrown)) as AppError;
      expect(error).toMatchObject({ code: 'provider_refused', detail: { status: 429 } });
      expect(error.detail['retryAfterSeconds']).toBeGreaterThan(80);
      expect(error.detail['retryAfterSeconds']).toBeLessThanOrEqual(90);
    } finally {
      limited.closeAllConnections();
      await new Promise((resolve) => limited.close(resolve));
    }
  });

  it('read a refusal that is a web page', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'status', status: 502, html: true });
    await expect(sms.send(anSms())).rejects.toMatchObject({ code: 'provider_refused', detail: { status: 502 } });
    sandbox.control.faults.add({ vendor: 'sendgrid', kind: 'status', status: 502, html: true });
    await expect(email.send(anEmail())).rejects.toMatchObject({ code: 'provider_refused', detail: { status: 502 } });
  });

  it.each(['drop', 'timeout-before', 'accept-then-hang', 'accept-then-drop'] as const)(
    'cannot know after %s, in the time they were given',
    async (kind) => {
      const lost = { code: 'provider_unavailable', detail: { sent: true } };
      const impatient = senders({ timeoutMs: TIMEOUT_MS });
      const started = Date.now();
      sandbox.control.faults.add({ vendor: 'twilio', kind, ms: 20 * TIMEOUT_MS });
      await expect(impatient.sms.send(anSms())).rejects.toMatchObject(lost);
      sandbox.control.faults.add({ vendor: 'sendgrid', kind, ms: 20 * TIMEOUT_MS });
      await expect(impatient.email.send(anEmail())).rejects.toMatchObject(lost);
      expect(Date.now() - started).toBeLessThan(10 * TIMEOUT_MS);
    },
  );

  it('know that nothing was sent when nobody listens', async () => {
    const nowhere = senders({ twilioUrl: 'http://127.0.0.1:1', sendgridUrl: 'http://127.0.0.1:1' });
    const unsent = { code: 'provider_unavailable', detail: { sent: false, reason: 'ECONNREFUSED' } };
    await expect(nowhere.sms.send(anSms())).rejects.toMatchObject(unsent);
    await expect(nowhere.email.send(anEmail())).rejects.toMatchObject(unsent);
  });

  it('keep the patient out of their errors', async () => {
    sandbox.control.faults.add({ vendor: 'twilio', kind: 'drop' });
    const message = anSms();
    const error: unknown = await sms.send(message).catch((thrown: unknown) => thrown);
    const shown = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause);
    expect(shown).not.toContain(message.to);
    expect(shown).not.toContain(message.body);
    expect(shown).not.toContain(AUTH_TOKEN);
  });

  describe('looking back', () => {
    it('finds the SMS by number, text and time, but not another one', async () => {
      const message = anSms();
      const { providerMessageId } = await sms.send(message);
      const sought = { to: message.to, body: message.body, since: new Date(), notThese: [] };
      expect(await sms.find(sought)).toEqual({ providerMessageId });
      const other = senders({ absenceProvenAfterMs: 0 }).sms;
      const absent = { found: 'absent' };
      expect(await other.find({ ...sought, body: `${message.body}.` })).toEqual(absent);
      expect(await other.find({ ...sought, to: anSms().to })).toEqual(absent);
      expect(await other.find({ ...sought, notThese: [providerMessageId] })).toEqual(absent);
    });

    it('finds an SMS that is still queued at the provider, which a filter by the date of sending passes over', async () => {
      const busy = await startSandbox({
        twilio: {
          accountSid: ACCOUNT_SID,
          authToken: AUTH_TOKEN,
          fromNumbers: [OUR_NUMBER],
          settings: { sentMs: 600_000, deliveredMs: 1 },
        },
      });
      try {
        const twilioUrl = `${busy.url}/twilio`;
        const { sms: sender } = senders({ twilioUrl, absenceProvenAfterMs: 0 });
        const message = anSms();
        const { providerMessageId } = await sender.send(message);
        const list = async (filter: string) => {
          const query = new URLSearchParams({ To: message.to, ...(filter === '' ? {} : { [filter]: '2026-01-01' }) });
          const response = await fetch(
            `${twilioUrl}/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json?${query.toString()}`,
            {
              headers: { authorization: `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}` },
            },
          );
          return ((await response.json()) as { messages: { status: string; date_sent: string | null }[] }).messages;
        };
        expect(await list('')).toMatchObject([{ status: 'queued', date_sent: null }]);
        expect(await list('DateSent>')).toEqual([]);
        expect(await list('DateSent<')).toEqual([]);
        expect(await sender.find({ ...message, since: new Date(), notThese: [] })).toEqual({ providerMessageId });
      } finally {
        await busy.close();
      }
    });

    it('does not take an SMS for the one that was sent before the attempt', async () => {
      const message = anSms();
      await sms.send(message);
      const since = new Date(Date.now() + 60_000);
      expect(await sms.find({ ...message, since, notThese: [] })).toEqual({ found: 'unsure' });
    });

    it('finds the email by our id', async () => {
      const message = anEmail();
      const { providerMessageId } = await email.send(message);
      const { notificationId } = message;
      const found = await email.find({ notificationId, since: new Date(), notThese: [] });
      expect(found).toEqual({ providerMessageId: sandbox.control.messages({ to: message.to })[0]?.id });
      expect(await email.find({ notificationId, since: longAgo(), notThese: [providerMessageId] })).toEqual({
        found: 'absent',
      });
    });

    it('is unsure while the attempt is young, and sure once it is old', async () => {
      const { to, body, notificationId } = anSms();
      expect(await sms.find({ to, body, since: new Date(), notThese: [] })).toEqual({ found: 'unsure' });
      expect(await sms.find({ to, body, since: longAgo(), notThese: [] })).toEqual({ found: 'absent' });
      expect(await email.find({ notificationId, since: new Date(), notThese: [] })).toEqual({ found: 'unsure' });
      expect(await email.find({ notificationId, since: longAgo(), notThese: [] })).toEqual({ found: 'absent' });
    });

    it('fails without an answer when the provider gives none', async () => {
      sandbox.control.faults.add({ vendor: 'sendgrid', kind: 'status', status: 403 });
      await expect(email.find({ notificationId: randomUUID(), since: longAgo(), notThese: [] })).rejects.toMatchObject({
        code: 'provider_refused',
        detail: { status: 403 },
      });
    });
  });
});
