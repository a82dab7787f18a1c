import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { ERROR_CODES } from '../../../src/domain/errors.ts';
import { OPERATIONS, type Operation } from '../../../src/api/authorization.ts';
import { PROBLEMS } from '../../../src/api/problem.ts';
import { anApi } from './api-under-test.ts';

interface Answer {
  readonly description: string;
  readonly headers?: object;
  readonly content?: Record<
    string,
    { schema: object; examples?: Record<string, { value: { status: number; code: string } }> }
  >;
}
interface OpenApiOperation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly requestBody?: object;
  readonly 'x-authorization'?: { readonly operation: Operation; readonly scopes: object; readonly roles: object };
  readonly responses: Record<string, Answer>;
}
interface Document {
  readonly openapi: string;
  readonly tags: readonly { name: string }[];
  readonly security: readonly object[];
  readonly paths: Record<string, Record<string, OpenApiOperation>>;
  readonly components: { readonly schemas: object; readonly securitySchemes: object };
}

let api: FastifyInstance;
let document: Document;
let operations: { path: string; method: string; operation: OpenApiOperation }[];

beforeAll(async () => {
  api = await anApi();
  document = (await api.inject('/openapi.json')).json<Document>();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});
afterAll(() => api.close());

describe('the OpenAPI document', () => {
  it('is one of OpenAPI 3.1 with every operation of the API', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).toEqual([
      'DELETE /api/v1/appointments/{appointmentId}',
      'DELETE /api/v1/appointments/{appointmentId}/check-in',
      'DELETE /api/v1/appointments/{appointmentId}/complete',
      'DELETE /api/v1/appointments/{appointmentId}/no-show',
      'DELETE /api/v1/clinics/{clinicId}/closures/{closureId}',
      'DELETE /api/v1/clinics/{clinicId}/registrations/{patientId}',
      'DELETE /api/v1/holds/{holdId}',
      'DELETE /api/v1/providers/{providerId}/overrides/{date}',
      'DELETE /api/v1/providers/{providerId}/time-off/{timeOffId}',
      'DELETE /api/v1/waitlist-entries/{entryId}',
      'GET /api/v1/appointment-series/{seriesId}',
      'GET /api/v1/appointments',
      'GET /api/v1/appointments/{appointmentId}',
      'GET /api/v1/appointments/{appointmentId}/calendar',
      'GET /api/v1/appointments/{appointmentId}/timeline',
      'GET /api/v1/clinics',
      'GET /api/v1/clinics/{clinicId}',
      'GET /api/v1/clinics/{clinicId}/availability',
      'GET /api/v1/clinics/{clinicId}/closures',
      'GET /api/v1/clinics/{clinicId}/policy',
      'GET /api/v1/day-end-list',
      'GET /api/v1/ehr-syncs',
      'GET /api/v1/ehr-syncs/{runId}',
      'GET /api/v1/holds/{holdId}',
      'GET /api/v1/notification-replays/{replayId}',
      'GET /api/v1/notifications',
      'GET /api/v1/notifications/{notificationId}',
      'GET /api/v1/offers',
      'GET /api/v1/offers/{offerId}',
      'GET /api/v1/patients',
      'GET /api/v1/patients/{patientId}',
      'GET /api/v1/providers',
      'GET /api/v1/providers/{providerId}',
      'GET /api/v1/providers/{providerId}/availability',
      'GET /api/v1/providers/{providerId}/overrides',
      'GET /api/v1/providers/{providerId}/schedule',
      'GET /api/v1/providers/{providerId}/time-off',
      'GET /api/v1/sick-days',
      'GET /api/v1/sick-days/{sickDayId}',
      'GET /api/v1/tasks',
      'GET /api/v1/waitlist-entries',
      'GET /api/v1/waitlist-entries/{entryId}',
      'GET /livez',
      'GET /problems',
      'GET /problems/{code}',
      'GET /readyz',
      'PATCH /api/v1/appointments/{appointmentId}',
      'PATCH /api/v1/clinics/{clinicId}',
      'PATCH /api/v1/patients/{patientId}',
      'PATCH /api/v1/providers/{providerId}',
      'POST /api/v1/appointment-series',
      'POST /api/v1/appointments',
      'POST /api/v1/appointments/{appointmentId}/check-in',
      'POST /api/v1/appointments/{appointmentId}/complete',
      'POST /api/v1/appointments/{appointmentId}/no-show',
      'POST /api/v1/callbacks/sendgrid/events',
      'POST /api/v1/callbacks/twilio/status/{notificationId}',
      'POST /api/v1/clinics/{clinicId}/closures',
      'POST /api/v1/clinics/{clinicId}/closures/import',
      'POST /api/v1/clinics/{clinicId}/closures/import/preview',
      'POST /api/v1/ehr-syncs',
      'POST /api/v1/holds',
      'POST /api/v1/holds/{holdId}/extension',
      'POST /api/v1/notification-replays',
      'POST /api/v1/notification-replays/{replayId}/pause',
      'POST /api/v1/notification-replays/{replayId}/resume',
      'POST /api/v1/notification-replays/{replayId}/stop',
      'POST /api/v1/notifications/search',
      'POST /api/v1/notifications/{notificationId}/replay',
      'POST /api/v1/offers/{offerId}/accept',
      'POST /api/v1/offers/{offerId}/decline',
      'POST /api/v1/patients',
      'POST /api/v1/patients/search',
      'POST /api/v1/providers',
      'POST /api/v1/providers/{providerId}/time-off',
      'POST /api/v1/schedule-previews',
      'POST /api/v1/sick-days',
      'POST /api/v1/sick-days/{sickDayId}/pause',
      'POST /api/v1/sick-days/{sickDayId}/resume',
      'POST /api/v1/sick-days/{sickDayId}/stop',
      'POST /api/v1/tasks/{taskId}/resolve',
      'POST /api/v1/waitlist-entries',
      'PUT /api/v1/clinics/{clinicId}/policy',
      'PUT /api/v1/clinics/{clinicId}/registrations/{patientId}',
      'PUT /api/v1/providers/{providerId}/overrides/{date}',
      'PUT /api/v1/providers/{providerId}/schedule',
    ]);
  });

  it('names each operation once, tags it and sums it up', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toBeTruthy();
      expect(operation.tags).toHaveLength(1);
      expect(tags).toContain(operation.tags?.[0]);
    }
  });

  it('asks for a token everywhere but for callbacks, health and problems', () => {
    expect(document.security).toEqual([{ accessToken: [] }]);
    for (const { path, operation } of operations) {
      const open = /^\/(livez|readyz|problems)|\/callbacks\//.test(path);
      expect({ path, security: operation.security }).toEqual({ path, security: open ? [] : undefined });
      expect('401' in operation.responses).toBe(!open);
      expect('429' in operation.responses).toBe(!/^\/(livez|problems)/.test(path));
    }
  });

  it('says who may, from the one table', () => {
    for (const { operation } of operations) {
      const said = operation['x-authorization'];
      if (said === undefined) continue;
      const { operation: name, ...rule } = said;
      expect(rule).toEqual(OPERATIONS[name]);
      for (const scope of OPERATIONS[name].scopes) expect(operation.description).toContain(`\`${scope}\``);
    }
  });

  it('describes every answer, the problems by the status and code they really have', () => {
    for (const { path, operation } of operations) {
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
      for (const [status, answer] of Object.entries(operation.responses)) {
        if (Number(status) < 400 || path === '/readyz') continue;
        const problem = answer.content?.['application/problem+json'];
        expect(problem?.schema).toEqual({ $ref: '#/components/schemas/Problem' });
        const examples = Object.entries(problem?.examples ?? {});
        expect(examples.length).toBeGreaterThan(0);
        for (const [code, { value }] of examples) {
          expect(value).toMatchObject({ code, status: Number(status) });
          expect(answer.description).toContain(code);
        }
      }
    }
  });

  it('gives the specification’s three operations exactly their fields', () => {
    const fieldsOf = (schema: object | undefined) => Object.keys((schema as { properties?: object }).properties ?? {});
    const book = document.paths['/api/v1/appointments']?.['post'];
    const body = book?.requestBody as { content: Record<string, { schema: { required: string[] } }> };
    expect(body.content['application/json']?.schema.required).toEqual([
      'patientId',
      'providerId',
      'appointmentTime',
      'durationMinutes',
    ]);
    expect(fieldsOf(body.content['application/json']?.schema).slice(4)).toEqual(['holdId', 'override']);
    expect(fieldsOf(book?.responses['201']?.content?.['application/json']?.schema)).toEqual([
      'appointmentId',
      'confirmationCode',
      'status',
    ]);
    expect(Object.keys(book?.responses['201']?.headers ?? {})).toEqual(
      expect.arrayContaining(['Location', 'ETag', 'Idempotency-Replayed']),
    );
    expect(document.paths['/api/v1/appointments/{appointmentId}']?.['delete']?.responses['204']).toBeDefined();
  });
});

describe('the pages about the API', () => {
  it('load from here alone, under their own policy', async () => {
    const page = await api.inject('/docs');
    expect(page.statusCode).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("default-src 'none'");
    expect(page.body).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
    expect(page.body).not.toMatch(/\son\w+=/);
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/docs\//);
      expect((await api.inject(asset)).statusCode).toBe(200);
    }
  });

  it('say what every error code means, at the address that its problem documents name', async () => {
    const { problems } = (await api.inject('/problems')).json<{ problems: { code: string; type: string }[] }>();
    expect(problems.map(({ code }) => code)).toEqual([...ERROR_CODES]);
    const one = await api.inject('/problems/slot_taken');
    expect(one.json()).toEqual({ type: '/problems/slot_taken', code: 'slot_taken', ...PROBLEMS.slot_taken });
    expect((await api.inject('/problems/nothing')).statusCode).toBe(404);
  });
});
