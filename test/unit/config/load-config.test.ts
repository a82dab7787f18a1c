import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig, type Concern } from '../../../src/config.ts';

const valid = {
  DATABASE_URL: 'postgresql://app@127.0.0.1:5432/mediconnect',
  JWT_SECRET: 'a-shared-secret-of-the-unit-tests-01',
  JWT_ISSUER: 'https://login.example',
  JWT_AUDIENCE: 'mediconnect',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
};

function problemsOf(env: Record<string, string | undefined>, concerns: readonly Concern[]): readonly string[] {
  try {
    loadConfig(env, concerns);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('reads the named concerns and nothing else', () => {
    const config = loadConfig({ ...valid, REDIS_URL: 'no url at all' }, ['database', 'jwt']);
    expect(config).toEqual({
      database: { DATABASE_URL: valid.DATABASE_URL, DATABASE_POOL_SIZE: 8 },
      jwt: { JWT_SECRET: valid.JWT_SECRET, JWT_ISSUER: valid.JWT_ISSUER, JWT_AUDIENCE: valid.JWT_AUDIENCE },
    });
  });

  it('turns text into numbers', () => {
    expect(loadConfig({ ...valid, DATABASE_POOL_SIZE: '3' }, ['database']).database.DATABASE_POOL_SIZE).toBe(3);
  });

  it('takes the default for a variable that is absent or empty', () => {
    const defaults = { API_HOST: '127.0.0.1', API_PORT: 3000, RATE_LIMIT_PER_MINUTE: 100, DRAIN_MS: 15_000 };
    expect(loadConfig({}, ['http']).http).toEqual(defaults);
    expect(loadConfig({ API_HOST: '', API_PORT: '', RATE_LIMIT_PER_MINUTE: undefined }, ['http']).http).toEqual(
      defaults,
    );
  });

  it('leaves an optional variable out when it is absent', () => {
    expect(loadConfig(valid, ['temporal']).temporal).toEqual({
      TEMPORAL_ADDRESS: valid.TEMPORAL_ADDRESS,
      TEMPORAL_NAMESPACE: 'default',
    });
  });

  it('reports every problem of every concern at once', () => {
    const problems = problemsOf(
      { DATABASE_POOL_SIZE: '21', JWT_SECRET: 'short', JWT_ISSUER: 'https://login.example', API_PORT: 'http' },
      ['database', 'jwt', 'http', 'temporal'],
    );
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'DATABASE_URL',
      'DATABASE_POOL_SIZE',
      'JWT_SECRET',
      'JWT_AUDIENCE',
      'API_PORT',
      'TEMPORAL_ADDRESS',
    ]);
  });

  it('says of each problem whether the variable is missing or what it must be', () => {
    expect(
      problemsOf({ DATABASE_POOL_SIZE: '0', JWT_SECRET: 'x', LOG_LEVEL: 'loud' }, ['log', 'database', 'jwt']),
    ).toEqual([
      'LOG_LEVEL is not valid: What is logged: debug, info, warn or error.',
      'DATABASE_URL is missing',
      'DATABASE_POOL_SIZE is not valid: it must be a whole number from 1 to 20',
      'JWT_SECRET is not valid: it needs at least 32 character(s)',
      'JWT_ISSUER is missing',
      'JWT_AUDIENCE is missing',
    ]);
  });

  it.each([
    ['database', 'DATABASE_URL', 'mysql://127.0.0.1/x'],
    ['database', 'DATABASE_POOL_SIZE', 'many'],
    ['redis', 'REDIS_URL', 'http://127.0.0.1'],
    ['broker', 'AMQP_URL', 'amqp://'],
    ['broker', 'AMQP_QUEUE_PREFIX', 'has space'],
    ['temporal', 'TEMPORAL_ADDRESS', 'http://127.0.0.1:7233'],
    ['temporal', 'TEMPORAL_ADDRESS', '127.0.0.1'],
    ['http', 'API_PORT', '65536'],
    ['http', 'RATE_LIMIT_PER_MINUTE', '0'],
    ['publicUrl', 'PUBLIC_URL', 'mediconnect.example'],
    ['twilio', 'TWILIO_ACCOUNT_SID', 'AC123'],
    ['http', 'TRUSTED_PROXIES', '1'],
    ['http', 'TRUSTED_PROXIES', '10.0.0.0/33'],
    ['http', 'TRUSTED_PROXIES', '10.0.0.0/8, everybody'],
    ['sendgrid', 'SENDGRID_WEBHOOK_PUBLIC_KEY', 'bm8ga2V5'],
    ['ehr', 'EHR_PRIVATE_KEY', 'bm8ga2V5'],
    ['twilio', 'TWILIO_FROM_NUMBER', '0123456789'],
    ['sendgrid', 'SENDGRID_FROM_EMAIL', 'nobody'],
  ] as const)('refuses, in %s, the %s "%s"', (concern, name, value) => {
    expect(problemsOf({ [name]: value }, [concern])).toContainEqual(expect.stringMatching(`^${name} is not valid: `));
  });

  it.each([
    ['twilio', 'TWILIO_AUTH_TOKEN', 'change-me-change-me-change-me-00'],
    ['database', 'DATABASE_URL', 'postgresql://mediconnect_app:change-me@db.internal:5432/mediconnect'],
  ] as const)('refuses, in %s, a %s of the example', (concern, name, value) => {
    expect(problemsOf({ [name]: value }, [concern])).toContainEqual(
      `${name} is that of .env.example: it protects nothing`,
    );
  });

  it('never shows a value, right or wrong', () => {
    const canaries = {
      DATABASE_URL: 'canary-url',
      DATABASE_POOL_SIZE: 'canary-size',
      JWT_SECRET: 'canary-secret',
      TWILIO_AUTH_TOKEN: 'canary-token',
      SENDGRID_API_KEY: 'canary-key',
      EHR_PRIVATE_KEY: 'canary-private-key',
      API_PORT: 'canary-port',
    };
    let thrown: unknown;
    try {
      loadConfig(canaries, ['database', 'jwt', 'twilio', 'sendgrid', 'ehr', 'http']);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    const { message, stack, problems } = thrown as ConfigError;
    expect(problems.length).toBeGreaterThan(5);
    expect(`${message}\n${stack ?? ''}\n${JSON.stringify(problems)}`).not.toContain('canary');
  });

  it('cannot be changed afterwards', () => {
    const config = loadConfig(valid, ['jwt']);
    expect(() => Object.assign(config.jwt, { JWT_SECRET: 'another-secret' })).toThrow(TypeError);
    expect(() => Object.assign(config, { http: {} })).toThrow(TypeError);
  });

  it('does not change the environment it reads', () => {
    const env = Object.freeze({ ...valid, DATABASE_POOL_SIZE: '3' });
    loadConfig(env, ['database']);
    expect(env.DATABASE_POOL_SIZE).toBe('3');
  });
});
