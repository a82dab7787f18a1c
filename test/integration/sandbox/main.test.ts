import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from '@jest/globals';
import {
  ACCOUNT_SID,
  API_KEY,
  AUDIENCE,
  AUTH_TOKEN,
  EHR_CLIENT_ID,
  JWT_SECRET,
  OUR_NUMBER,
  createAssertionKey,
} from './start-sandbox.ts';

const SETTINGS = {
  SANDBOX_PORT: '0',
  TWILIO_ACCOUNT_SID: ACCOUNT_SID,
  TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  TWILIO_FROM_NUMBER: OUR_NUMBER,
  SENDGRID_API_KEY: API_KEY,
  JWT_SECRET,
  JWT_AUDIENCE: AUDIENCE,
  JWT_ISSUER: 'https://login.mediconnect.example',
  EHR_CLIENT_ID,
  EHR_CLIENT_PUBLIC_JWK: JSON.stringify(createAssertionKey('ES384', 'key-1').publicJwk),
};

function start(settings: Record<string, string>) {
  return spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

describe('the sandbox as a process', () => {
  it('says where it listens, serves, and ends on SIGTERM', async () => {
    const child = start(SETTINGS);
    const exit = once(child, 'exit');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const ready = JSON.parse(line) as { ready: boolean; url: string };
    expect(ready).toMatchObject({ ready: true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
    expect((await fetch(`${ready.url}/control/messages`)).status).toBe(200);
    const metadata = await fetch(`${ready.url}/oauth2/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ issuer: SETTINGS.JWT_ISSUER });
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it('names the variables that are missing', async () => {
    const child = start({ ...SETTINGS, JWT_SECRET: '', SENDGRID_API_KEY: '' });
    const exit = once(child, 'exit');
    const [line] = (await once(createInterface(child.stderr), 'line')) as [string];
    expect(line).toBe('Missing in the environment: SENDGRID_API_KEY, JWT_SECRET');
    expect(await exit).toEqual([1, null]);
  });
});
