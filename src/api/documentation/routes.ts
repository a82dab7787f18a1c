import etag from '@fastify/etag';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { AppError, ERROR_CODES } from '../../domain/errors.ts';
import { hasCopy } from '../entity-tag.ts';
import { Problem, PROBLEM_MEDIA_TYPE, problemType, PROBLEMS } from '../problem.ts';
import { Nothing, Strict } from '../schemas.ts';
import { withAuthorization } from './authorization.ts';
import { completeDocument } from './complete.ts';
import { withProblemAnswers } from './problem-answers.ts';

/** Collects what every route says about itself. Register it before the routes. */
export async function collectOpenApi(app: FastifyInstance, publicUrl: string): Promise<void> {
  app.addSchema(Problem);
  await app.register(swagger, {
    transform: ({ schema, url, route }) => ({
      schema: withAuthorization(withProblemAnswers(schema, route), route.config?.operation),
      url,
    }),
    transformObject: (collected) => {
      if (!('openapiObject' in collected)) throw new AppError('internal_error');
      completeDocument(collected.openapiObject);
      return collected.openapiObject;
    },
    refResolver: { buildLocalReference: ({ $id }) => $id as string },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'MediConnect',
        version: '1',
        description: [
          'Appointments across clinics.',
          `Errors are problem documents (RFC 9457, \`${PROBLEM_MEDIA_TYPE}\`) with a stable \`code\`; \`/problems\` lists them all.`,
          'Instants are RFC 3339 with an offset; dates are dates in the clinic’s zone.',
          'Every answer carries `X-Request-Id`; send a UUID of your own to follow a request through the system.',
          'Each user may send 100 requests in any minute; `RateLimit` says how many are left.',
        ].join('\n\n'),
      },
      servers: [{ url: publicUrl }],
      tags: [
        { name: 'availability', description: 'When a visit can be booked.' },
        { name: 'appointments', description: 'Booking, moving, cancelling and looking.' },
        { name: 'holds', description: 'Keeping a slot for the few minutes that booking takes.' },
        { name: 'attendance', description: 'What happened on the day.' },
        { name: 'clinics', description: 'Where patients go, and the rules there.' },
        { name: 'providers', description: 'Whom a patient can see.' },
        { name: 'schedules', description: 'When providers work, are away, and when clinics are closed.' },
        { name: 'patients', description: 'Who comes, and where they are registered.' },
        { name: 'waitlist', description: 'Waiting for a slot that somebody gives back.' },
        { name: 'sick-days', description: 'A provider is suddenly away: what becomes of each visit.' },
        { name: 'offers', description: 'A time that is held for a patient until they answer.' },
        { name: 'tasks', description: 'What a person must do, such as calling a patient.' },
        { name: 'notifications', description: 'Messages to patients, and sending failed ones again.' },
        { name: 'ehr', description: "Syncs with the clinic's EHR." },
        { name: 'callbacks', description: 'What the message providers tell us.' },
        { name: 'health', description: 'For load balancers.' },
        { name: 'problems', description: 'What the error codes mean.' },
      ],
      components: {
        securitySchemes: {
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of the OAuth2 service (HS256), valid for at most 24 hours.',
          },
        },
      },
      security: [{ accessToken: [] }],
    },
  });
}

/** The pages' own policy: their scripts and styles come from here, and nothing else does. */
const PAGES_CSP = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': "'self'",
  'frame-ancestors': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
};

const ProblemKind = Type.Object({
  type: Type.String(),
  code: Type.Enum([...ERROR_CODES]),
  status: Type.Integer(),
  title: Type.String(),
  detail: Type.String(),
});

/** How long a copy of what never changes while a release runs is used without asking. Seconds. */
const FRESH_SECONDS = 300;
const NotModified = Nothing('Not modified: the copy with the ETag in If-None-Match is still right.');
const CACHEABLE = {
  headers: {
    ETag: { type: 'string', description: 'Send it as If-None-Match.' },
    'Cache-Control': { type: 'string', description: `public, max-age=${FRESH_SECONDS}` },
  },
};

/** The OpenAPI document, its pages, and what the error codes mean. */
export async function documentationRoutes(app: FastifyInstance): Promise<void> {
  // The pages' files are served by a package that refuses what is no path by a status alone.
  app.setErrorHandler((error: Error & { readonly statusCode?: number }) => {
    throw [400, 403, 404].includes(error.statusCode ?? 0) ? new AppError('not_found') : error;
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGES_CSP,
    uiConfig: { docExpansion: 'list', deepLinking: true, persistAuthorization: false },
  });
  await app.register(cacheableRoutes);
}

/** What is the same for everybody as long as this release runs: it may be kept, and is asked for again by its ETag. */
async function cacheableRoutes(app: FastifyInstance): Promise<void> {
  // The package makes the tags; it compares them with a header of one tag only.
  await app.register(etag, { replyWith304: false });
  app.addHook('onSend', (request, reply, payload, done) => {
    const isKnown =
      reply.statusCode === 200 && hasCopy(request.headers['if-none-match'], String(reply.getHeader('etag')));
    if (isKnown) void reply.code(304);
    done(null, isKnown ? '' : payload);
  });
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.header('cache-control', `public, max-age=${FRESH_SECONDS}`);
    done();
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());

  const kinds = ERROR_CODES.map((code) => ({ type: problemType(code), code, ...PROBLEMS[code] }));
  app.get(
    '/problems',
    {
      schema: {
        operationId: 'listProblems',
        tags: ['problems'],
        summary: 'Every error code',
        security: [],
        response: { 200: Type.Object({ problems: Type.Array(ProblemKind) }, CACHEABLE), 304: NotModified },
      },
    },
    () => ({ problems: kinds }),
  );
  app.get<{ Params: { code: string } }>(
    '/problems/:code',
    {
      config: { problems: ['not_found', 'validation_failed'] },
      schema: {
        operationId: 'readProblem',
        tags: ['problems'],
        summary: 'What an error code means',
        security: [],
        params: Strict({ code: Type.String({ maxLength: 64, description: 'An error code.' }) }),
        response: { 200: Type.Object(ProblemKind.properties, CACHEABLE), 304: NotModified },
      },
    },
    (request) => {
      const kind = kinds.find(({ code }) => code === request.params.code);
      if (kind === undefined) throw new AppError('not_found');
      return kind;
    },
  );
}
