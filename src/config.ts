import { Type, type Static, type TObject } from 'typebox';
import { Value } from 'typebox/value';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';

/** One schema per concern: it gives the parsing, the type and the list that `.env.example` is compared with. */
const port = (fallback: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: fallback });
const url = (schemes: string) => Type.String({ pattern: `^(${schemes})://\\S+$` });
const secret = (minLength: number) => Type.String({ minLength });

export const CONFIG_SCHEMA = {
  log: Type.Object({
    LOG_LEVEL: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
      default: 'info',
      description: 'What is logged: debug, info, warn or error.',
    }),
  }),
  /** Liveness and readiness, for orchestrators: never public. */
  admin: Type.Object({
    ADMIN_HOST: Type.String({ minLength: 1, default: '127.0.0.1' }),
    ADMIN_PORT: port(9464),
  }),
  /** The application role's connection. */
  database: Type.Object({
    DATABASE_URL: url('postgres|postgresql'),
    DATABASE_POOL_SIZE: Type.Integer({ minimum: 1, maximum: 20, default: 8 }),
  }),
  /** The owner's connection: `migrate` only. */
  databaseOwner: Type.Object({ DATABASE_OWNER_URL: url('postgres|postgresql') }),
  /** The relay role's connection: `worker` and `rebuild`. */
  databaseRelay: Type.Object({ DATABASE_RELAY_URL: url('postgres|postgresql') }),
  redis: Type.Object({ REDIS_URL: url('redis|rediss') }),
  broker: Type.Object({
    AMQP_URL: url('amqp|amqps'),
    AMQP_QUEUE_PREFIX: Type.String({
      pattern: '^[A-Za-z0-9._-]*$',
      default: '',
      description: 'Put before every exchange and queue name.',
    }),
  }),
  temporal: Type.Object({
    TEMPORAL_ADDRESS: Type.String({ pattern: '^[^/\\s]+:[0-9]+$' }),
    TEMPORAL_NAMESPACE: Type.String({ minLength: 1, default: 'default' }),
    WORKER_BUILD_ID: Type.Optional(
      Type.String({ minLength: 1, description: 'Switches Worker Deployment Versioning on.' }),
    ),
  }),
  http: Type.Object({
    API_HOST: Type.String({ minLength: 1, default: '127.0.0.1' }),
    API_PORT: port(3000),
    RATE_LIMIT_PER_MINUTE: Type.Integer({ minimum: 1, default: 100 }),
    TRUSTED_PROXIES: Type.Optional(
      Type.String({ description: 'Addresses or CIDR blocks, with commas between them: 10.0.0.0/8,::1.' }),
    ),
    DRAIN_MS: Type.Integer({ minimum: 0, maximum: 120_000, default: 15_000 }),
  }),
  /** Where the outside world reaches the API: callbacks and links are built from it. */
  publicUrl: Type.Object({ PUBLIC_URL: url('https?') }),
  jwt: Type.Object({
    JWT_SECRET: secret(32),
    JWT_ISSUER: Type.String({ minLength: 1 }),
    JWT_AUDIENCE: Type.String({ minLength: 1 }),
  }),
  twilio: Type.Object({
    TWILIO_ACCOUNT_SID: Type.String({ pattern: '^AC[0-9a-f]{32}$' }),
    TWILIO_AUTH_TOKEN: secret(16),
    TWILIO_FROM_NUMBER: Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$' }),
    TWILIO_BASE_URL: Type.Optional(url('https?')),
  }),
  sendgrid: Type.Object({
    SENDGRID_API_KEY: secret(16),
    SENDGRID_FROM_EMAIL: Type.String({ pattern: '^\\S+@\\S+$' }),
    SENDGRID_BASE_URL: Type.Optional(url('https?')),
    SENDGRID_WEBHOOK_PUBLIC_KEY: Type.String({ minLength: 1, description: 'Base64 DER (SPKI), as SendGrid shows it.' }),
  }),
  ehr: Type.Object({
    EHR_CLIENT_ID: Type.String({ minLength: 1 }),
    EHR_PRIVATE_KEY: Type.String({
      minLength: 1,
      description: 'Base64 DER (PKCS #8) of a P-384 key: SMART Backend Services, ES384.',
    }),
    EHR_KEY_ID: Type.String({ minLength: 1 }),
  }),
} as const satisfies Record<string, TObject>;

/** What no schema can judge. */
const JUDGED: Readonly<Record<string, (value: string) => boolean>> = {
  TRUSTED_PROXIES: (value) => proxiesOf(value).every(isNetwork),
  SENDGRID_WEBHOOK_PUBLIC_KEY: (value) =>
    createPublicKey({ key: Buffer.from(value, 'base64'), format: 'der', type: 'spki' }).asymmetricKeyType === 'ec',
  EHR_PRIVATE_KEY: (value) =>
    createPrivateKey({ key: Buffer.from(value, 'base64'), format: 'der', type: 'pkcs8' }).asymmetricKeyDetails
      ?.namedCurve === 'secp384r1',
};

function isJudgedGood(name: string, value: unknown): boolean {
  try {
    return JUDGED[name]?.(String(value)) ?? true;
  } catch {
    return false;
  }
}

/** The list of `TRUSTED_PROXIES`. */
export function proxiesOf(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return bits > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
}

/** `.env.example` is public: whoever starts with a secret of it has none. */
function isOfTheExample(value: unknown): boolean {
  return typeof value === 'string' && /change-me|^AC0{32}$/.test(value);
}

type Schemas = typeof CONFIG_SCHEMA;
export type Concern = keyof Schemas;
/** The configuration of the named concerns, one frozen object each. */
export type Config<C extends Concern = Concern> = { readonly [K in C]: Readonly<Static<Schemas[K]>> };

/** Thrown at start with every problem at once, so that one look is enough. Values are never shown. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s); see .env.example:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads the variables of the named concerns. @throws ConfigError naming every missing or malformed variable. */
export function loadConfig<C extends Concern>(
  env: Readonly<Record<string, string | undefined>>,
  concerns: readonly C[],
): Config<C> {
  const problems: string[] = [];
  const config: Partial<Record<Concern, unknown>> = {};
  for (const concern of concerns) {
    const schema: TObject = CONFIG_SCHEMA[concern];
    const given = Object.fromEntries(
      Object.keys(schema.properties).flatMap((key) => (env[key] ? [[key, env[key]]] : [])),
    );
    const value = Value.Convert(schema, Value.Default(schema, given));
    for (const [key, property] of Object.entries(schema.properties)) {
      const present = (value as Record<string, unknown>)[key];
      if (present === undefined) {
        if ((schema.required as readonly string[] | undefined)?.includes(key)) problems.push(`${key} is missing`);
      } else if (isOfTheExample(present)) {
        problems.push(`${key} is that of .env.example: it protects nothing`);
      } else if (!Value.Check(property, present) || !isJudgedGood(key, present)) {
        problems.push(`${key} is not valid: ${requirement(property)}`);
      }
    }
    config[concern] = Object.freeze(value);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Config<C>;
}

function requirement(schema: object): string {
  const { pattern, minLength, minimum, maximum, description } = schema as Record<string, string | number | undefined>;
  if (description !== undefined) return String(description);
  if (pattern !== undefined) return `it must match ${pattern}`;
  if (minLength !== undefined) return `it needs at least ${minLength} character(s)`;
  return `it must be a whole number from ${minimum ?? '-∞'} to ${maximum ?? '∞'}`;
}
