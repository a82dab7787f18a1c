import { createSandbox } from './sandbox.ts';
import { loadValidator } from './ehr/validation.ts';
import type { JSONWebKeySet, JWK } from 'jose';
import type { SandboxOptions } from './options.ts';

/** Reads the options from the environment. @throws Error naming every variable that is missing. */
function readOptions(env: NodeJS.ProcessEnv): SandboxOptions {
  const missing: string[] = [];
  const required = (name: string) => {
    const value = env[name];
    if (!value) missing.push(name);
    return value ?? '';
  };
  const optional = <Key extends string>(key: Key, name: string): Partial<Record<Key, string>> => {
    const value = env[name];
    return value ? ({ [key]: value } as Record<Key, string>) : {};
  };
  const clientId = required('EHR_CLIENT_ID');
  const publicKey = required('EHR_CLIENT_PUBLIC_JWK');
  const options: SandboxOptions = {
    ...optional('host', 'SANDBOX_HOST'),
    port: Number(env['SANDBOX_PORT'] ?? 0),
    log: env['SANDBOX_LOG'] === 'true',
    twilio: {
      accountSid: required('TWILIO_ACCOUNT_SID'),
      authToken: required('TWILIO_AUTH_TOKEN'),
      fromNumbers: required('TWILIO_FROM_NUMBER').split(','),
    },
    sendgrid: {
      apiKey: required('SENDGRID_API_KEY'),
      ...optional('webhookPrivateKey', 'SENDGRID_WEBHOOK_PRIVATE_KEY'),
      ...optional('eventWebhookUrl', 'SENDGRID_EVENT_WEBHOOK_URL'),
    },
    oauth2: {
      jwtSecret: required('JWT_SECRET'),
      audience: required('JWT_AUDIENCE'),
      ...optional('issuer', 'JWT_ISSUER'),
    },
    ehr: { clients: publicKey === '' ? [] : [{ clientId, jwks: readKeys(publicKey) }] },
  };
  if (missing.length > 0) throw new Error(`Missing in the environment: ${missing.join(', ')}`);
  return options;
}

/** One public key, or a set of them. */
function readKeys(text: string): JSONWebKeySet {
  const value = JSON.parse(text) as JWK & { keys?: JWK[] };
  return { keys: value.keys ?? [value] };
}

async function main(): Promise<void> {
  const options = readOptions(process.env);
  loadValidator();
  const sandbox = await createSandbox(options);
  const { webhookPublicKey: sendgridWebhookPublicKey } = sandbox.control.sendgrid;
  process.stdout.write(`${JSON.stringify({ ready: true, url: sandbox.url, sendgridWebhookPublicKey })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void sandbox.close().then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
