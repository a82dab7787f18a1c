import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance } from 'fastify';
import { Check } from 'typebox/schema';
import { OPERATIONS, type Operation } from '../../../src/api/authorization.ts';
import { anApi, asAdmin, asPatient, MISSING } from './api-under-test.ts';

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Record<string, JsonSchema>;
}
interface Media {
  readonly schema: JsonSchema & { readonly $ref?: string };
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: { readonly code?: string } }>;
}
interface Answer {
  readonly description: string;
  readonly headers: Record<string, object>;
  readonly content?: Record<string, Media>;
}
interface DocumentedOperation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly 'x-authorization'?: { readonly operation: Operation; readonly roles: object };
  readonly responses: Record<string, Answer>;
}

let api: FastifyInstance;
let document: Record<string, unknown>;
let operations: { name: string; path: string; method: string; operation: DocumentedOperation }[];
beforeAll(async () => {
  api = await anApi();
  document = (await api.inject('/openapi.json')).json();
  const paths = document['paths'] as Record<string, Record<string, DocumentedOperation>>;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: operation.operationId, path, method, operation })),
  );
});
afterAll(() => api.close());

/** What is missing, by operation: nothing must be. */
function missing(find: (given: (typeof operations)[number]) => readonly (string | false)[]): object {
  const found = operations.map((each) => [each.name, find(each).filter(Boolean)] as const);
  return Object.fromEntries(found.filter(([, gaps]) => gaps.length > 0));
}
const isOpen = (operation: DocumentedOperation) => operation.security?.length === 0;
const answersOf = (operation: DocumentedOperation) => Object.entries(operation.responses);
const succeeds = (status: string) => status.startsWith('2');
const headerNamed = (operation: DocumentedOperation, name: string) =>
  operation.parameters?.some((parameter) => parameter.in === 'header' && parameter.name === name) ?? false;
/** What a request with one of these methods carries is read, also where nothing is asked for. */
const carriesBody = (method: string) => ['post', 'put', 'patch', 'delete'].includes(method);
const BODY_CODES = ['malformed_json', 'body_too_large', 'unsupported_media_type'] as const;
const codesOf = (operation: DocumentedOperation) =>
  answersOf(operation).flatMap(([, { content = {} }]) =>
    Object.keys(content['application/problem+json']?.examples ?? {}),
  );

describe('the OpenAPI document is complete', () => {
  it('and valid by the schema of OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    const broken = await new Validator().validate({ ...structuredClone(document), paths: 7 });
    expect(broken.valid).toBe(false);
  });

  it('in its bodies: each has an example, made of no empty text, that its own schema accepts', () => {
    expect(
      missing(({ operation }) => {
        const bodies = [
          ...Object.values(operation.requestBody?.content ?? {}).map((media) => ['request', media] as const),
          ...answersOf(operation).flatMap(([status, { content = {} }]) =>
            Object.entries(content)
              .filter(([type]) => type === 'application/json')
              .map(([, media]) => [status, media] as const),
          ),
        ];
        return bodies.flatMap(([where, { schema, example }]) => [
          example === undefined && `${where}: no example`,
          JSON.stringify(example).includes('""') && `${where}: an empty text in ${JSON.stringify(example)}`,
          !Check(schema, example) && `${where}: its schema refuses ${JSON.stringify(example)}`,
        ]);
      }),
    ).toEqual({});
  });

  it('in what may be sent: every parameter is described, and an example given where one is needed', () => {
    expect(
      missing(({ operation }) =>
        (operation.parameters ?? []).map((parameter) => {
          if (parameter.in === 'path' && !('example' in parameter)) return `${parameter.name}: no example`;
          return parameter.in === 'path' && !parameter.description && `${parameter.name}: no description`;
        }),
      ),
    ).toEqual({});
  });

  it('in the headers of its answers', () => {
    expect(
      missing(({ operation, method }) =>
        answersOf(operation).flatMap(([status, { headers, content = {} }]) => {
          const needed = ['X-Request-Id'];
          const codes = Object.keys(content['application/problem+json']?.examples ?? {});
          if (!isOpen(operation)) needed.push('RateLimit', 'RateLimit-Policy');
          if (!isOpen(operation) && (status === '401' || status === '403')) needed.push('WWW-Authenticate');
          if (status === '429' || codes.includes('temporarily_unavailable')) needed.push('Retry-After');
          // What is put somewhere is where it was put.
          if (method === 'post' && (status === '201' || status === '202')) needed.push('Location');
          if (succeeds(status) && headerNamed(operation, 'idempotency-key')) needed.push('Idempotency-Replayed');
          return needed.filter((name) => !(name in headers)).map((name) => `${status}: ${name}`);
        }),
      ),
    ).toEqual({});
  });

  it('in what may go wrong: every body, key and version has its refusals', () => {
    expect(
      missing(({ operation, method, path }) => {
        if (!path.startsWith('/api/v1/')) return [];
        const needed = ['internal_error', 'database_unavailable', 'temporarily_unavailable', 'validation_failed'];
        if (!isOpen(operation))
          needed.push('token_missing', 'token_invalid', 'token_expired', 'forbidden', 'rate_limited');
        if (carriesBody(method)) needed.push(...BODY_CODES);
        if (headerNamed(operation, 'idempotency-key')) needed.push('idempotency_in_progress', 'idempotency_mismatch');
        if (method === 'patch') needed.push('precondition_required', 'version_mismatch');
        if (headerNamed(operation, 'if-match')) needed.push('version_mismatch');
        if (path.includes('{') && !isOpen(operation)) needed.push('not_found');
        const codes = codesOf(operation);
        return [
          ...needed.filter((code) => !codes.includes(code)),
          method === 'patch' && !headerNamed(operation, 'if-match') && 'If-Match',
          ...BODY_CODES.filter((code) => !carriesBody(method) && codes.includes(code)),
        ];
      }),
    ).toEqual({});
  });

  it('in what is answered to a body that nobody asked for', async () => {
    const admin = await asAdmin();
    const patient = await asPatient();
    const bodyless = operations.filter(
      ({ method, operation }) => carriesBody(method) && operation.requestBody === undefined,
    );
    expect(bodyless.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['cancelAppointment', 'checkInAppointment']),
    );
    const answered = async (given: (typeof operations)[number], type: string, payload: string) => {
      const { path, method, operation } = given;
      const headers = 'clinic_admin' in (operation['x-authorization']?.roles ?? {}) ? admin : patient;
      const url = path.replace(/\{\w+\}/g, MISSING);
      const response = await api.inject({
        method: method.toUpperCase() as 'POST',
        url,
        headers: { ...headers, 'content-type': type },
        payload,
      });
      return { status: String(response.statusCode), code: response.json<{ code: string }>().code };
    };
    const probes = [
      ['text/plain', 'x', { status: '415', code: 'unsupported_media_type' }],
      ['application/json', JSON.stringify('x'.repeat(64 * 1_024)), { status: '413', code: 'body_too_large' }],
      ['application/json', '{', { status: '400', code: 'malformed_json' }],
    ] as const;
    for (const given of bodyless) {
      const { name, operation } = given;
      for (const [type, payload, expected] of probes) {
        const { status, code } = await answered(given, type, payload);
        expect({ name, status, code }).toEqual({ name, ...expected });
        const { examples = {} } = operation.responses[status]?.content?.['application/problem+json'] ?? {};
        expect({ name, documented: Object.keys(examples) }).toEqual({
          name,
          documented: expect.arrayContaining([code]),
        });
      }
    }
  });

  it('in who may: by the one table, in the operation and in words', () => {
    expect(
      missing(({ operation }) => {
        const said = operation['x-authorization'];
        if (isOpen(operation)) return [said !== undefined && 'an open operation needs nobody’s permission'];
        return [said === undefined && 'x-authorization'];
      }),
    ).toEqual({});
    const used = new Set(operations.map(({ operation }) => operation['x-authorization']?.operation));
    // What no operation declares is asked for by a part of one.
    expect(Object.keys(OPERATIONS).filter((name) => !used.has(name as Operation))).toEqual(['overrideRules']);
  });
});
