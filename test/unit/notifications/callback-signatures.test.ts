import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { verifySendgridSignature } from '../../../src/integrations/sendgrid/signature.ts';
import { verifyTwilioSignature } from '../../../src/integrations/twilio/signature.ts';

describe('Twilio’s signature', () => {
  // The example of twilio.com/docs/usage/security.
  const token = '12345';
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
  const params = {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+14158675309',
    Digits: '1234',
    From: '+14158675309',
    To: '+18005551212',
  };
  const signature = 'RSOYDt4T1cUTdK1PDd93/VVr8B8=';

  it('is accepted for what was signed', () => {
    expect(verifyTwilioSignature(token, url, params, signature)).toBe(true);
  });

  it.each([
    ['another token', () => verifyTwilioSignature('12346', url, params, signature)],
    ['another address', () => verifyTwilioSignature(token, `${url}3`, params, signature)],
    ['another field', () => verifyTwilioSignature(token, url, { ...params, Digits: '1235' }, signature)],
    ['one more field', () => verifyTwilioSignature(token, url, { ...params, Extra: '1' }, signature)],
    ['another signature', () => verifyTwilioSignature(token, url, params, `x${signature.slice(1)}`)],
    ['an empty signature', () => verifyTwilioSignature(token, url, params, '')],
    ['none', () => verifyTwilioSignature(token, url, params, undefined)],
  ])('is refused with %s', (_name, verify) => {
    expect(verify()).toBe(false);
  });
});

describe('SendGrid’s signature', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const rawBody = '[{"event":"delivered"}]\r\n';
  const timestamp = '1800000000';
  const now = 1_800_000_000_000;
  const signature = sign('sha256', Buffer.from(timestamp + rawBody), privateKey).toString('base64');
  const request = { rawBody, timestamp, signature };

  it('is accepted for what was signed, as text and as bytes, for five minutes', () => {
    expect(verifySendgridSignature(key, request, now)).toBe(true);
    expect(verifySendgridSignature(key, { ...request, rawBody: Buffer.from(rawBody) }, now)).toBe(true);
    expect(verifySendgridSignature(key, request, now + 300_000)).toBe(true);
  });

  it.each([
    ['a trimmed body', { ...request, rawBody: rawBody.trim() }, now],
    ['another body', { ...request, rawBody: '[]' }, now],
    ['another timestamp', { ...request, timestamp: '1800000001' }, now],
    ['a timestamp that is no number', { ...request, timestamp: '1800000000x' }, now],
    ['a broken signature', { ...request, signature: signature.slice(4) }, now],
    ['no signature', { ...request, signature: undefined }, now],
    ['no timestamp', { ...request, timestamp: undefined }, now],
    ['an old event', request, now + 301_000],
    ['an event of the future', request, now - 301_000],
  ])('is refused with %s', (_name, given, at) => {
    expect(verifySendgridSignature(key, given, at)).toBe(false);
  });
});
