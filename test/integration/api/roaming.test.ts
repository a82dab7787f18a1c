import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { SCOPES as EVERY_SCOPE } from '../../../src/api/authorization.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aToken } from '../../support/tokens.ts';
import { startApi, type RunningApi } from './running-api.ts';

let database: TestDatabase;
let api: RunningApi;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
}

/** Every operation of the API, those of tomorrow included. */
async function operations(): Promise<Operation[]> {
  const { paths } = (await api.app.inject('/openapi.json')).json<{ paths: Record<string, object> }>();
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/v1/') && !path.includes('/callbacks/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase() as Operation['method'], path })),
    );
}

/** Bodies with which support and operators get past validation. */
const BODIES: Readonly<Record<string, object>> = {
  '/api/v1/notification-replays': { notificationIds: [randomUUID()], reason: 'x' },
};

describe.each(['support', 'operator'] as const)('%s whose token names no clinic', (role) => {
  const headers = async () => ({
    authorization: `Bearer ${await aToken({ sub: `${role}-1`, role, scope: EVERY_SCOPE.join(' ') })}`,
    'if-match': '"1"',
  });

  it('is answered clearly wherever they ask: never a 500', async () => {
    const answers: string[] = [];
    for (const { method, path } of await operations()) {
      const body = BODIES[path];
      const response = await api.app.inject({
        method,
        url: path.replaceAll(/\{\w+\}/g, () => randomUUID()),
        headers: await headers(),
        ...(body === undefined ? {} : { payload: body }),
      });
      const { code } = response.json<{ code: string }>();
      answers.push(`${response.statusCode} ${code}`);
    }
    const kinds = ['400 validation_failed', '403 forbidden', '404 not_found'];
    expect(kinds).toEqual(expect.arrayContaining([...new Set(answers)]));
    expect(answers).toContain('403 forbidden');
  });

  it.each(
    role === 'support'
      ? ['/notifications', `/notification-replays/${randomUUID()}`]
      : ['/ehr-syncs', `/ehr-syncs/${randomUUID()}`],
  )('is asked for the clinic at %s', async (url) => {
    const response = await api.app.inject({ url: `/api/v1${url}`, headers: await headers() });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ errors: [{ in: 'query', pointer: '/clinicId', rule: 'required' }] });
  });
});
