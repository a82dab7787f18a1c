import { pino } from 'pino';
import { createApp } from '../../src/api/app.ts';

/** A part that may be named while routes are registered, and must not be called: what the API says about itself needs none. */
function inert(what: string): never {
  const refuse = () => {
    throw new Error(`${what} was used while the API only described itself`);
  };
  return new Proxy(refuse, { get: (_target, name) => inert(`${what}.${String(name)}`) }) as never;
}

/** The OpenAPI document of the API as it is in this repository; no server is needed. */
export async function openApiDocument(): Promise<object> {
  const app = await createApp({
    logger: pino({ level: 'silent' }),
    publicUrl: 'http://localhost:3000',
    jwt: { secret: 'x'.repeat(32), issuer: 'http://localhost', audience: 'mediconnect-api' },
    rateLimit: { size: { limit: 1, windowMs: 1 }, limiter: inert('limiter') },
    doors: inert('doors'),
    reads: inert('reads'),
    callbacks: inert('callbacks'),
    files: inert('files'),
    readiness: inert('readiness'),
    now: () => new Date(),
  });
  const document: object = app.swagger();
  await app.close();
  return document;
}
