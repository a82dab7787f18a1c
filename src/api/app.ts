import helmet from '@fastify/helmet';
import jwt from '@fastify/jwt';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { createHmac } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { v7 as uuidV7 } from 'uuid';
import { AppError } from '../domain/errors.ts';
import type { ForeignFiles } from '../integrations/foreign-files.ts';
import type { WindowSize } from '../integrations/redis/sliding-window.ts';
import type { Logger } from '../logger.ts';
import { seriesRoutes } from './appointment-series/routes.ts';
import { calendarRoutes } from './appointments/calendar.ts';
import { appointmentRoutes } from './appointments/routes.ts';
import { CLOCK_LEEWAY_SECONDS, createAuthenticator, type VerifiedToken } from './authentication.ts';
import { availabilityRoutes } from './availability/routes.ts';
import { takeJsonOnly } from './bodies.ts';
import { enforceOperation, requireOperation } from './caller.ts';
import { dayEndRoutes } from './day-end-list/routes.ts';
import { taskRoutes } from './tasks/routes.ts';
import type { Callbacks } from './callbacks/callbacks.ts';
import { sendgridCallbacks } from './callbacks/sendgrid.ts';
import { twilioCallbacks } from './callbacks/twilio.ts';
import { clinicRoutes } from './clinics/routes.ts';
import { closureRoutes } from './closures/routes.ts';
import { collectOpenApi, documentationRoutes } from './documentation/routes.ts';
import type { Doors } from './doors.ts';
import { ehrSyncRoutes } from './ehr-syncs/routes.ts';
import { holdRoutes } from './holds/routes.ts';
import type { Readiness } from './health/readiness.ts';
import { healthRoutes } from './health/routes.ts';
import { offerRoutes } from './offers/routes.ts';
import { replayRoutes } from './notification-replays/routes.ts';
import { notificationRoutes } from './notifications/routes.ts';
import { patientRoutes } from './patients/routes.ts';
import { invalidField, PROBLEM_MEDIA_TYPE, problemDocument, PROBLEMS, refusalOf, RequestError } from './problem.ts';
import { providerRoutes } from './providers/routes.ts';
import { enforceRateLimit, type RateLimiter } from './rate-limit.ts';
import type { Reads } from './reads.ts';
import { registrationRoutes } from './registrations/routes.ts';
import { schedulePreviewRoutes } from './schedule-previews/routes.ts';
import { scheduleRoutes } from './schedules/routes.ts';
import { sickDayRoutes } from './sick-days/routes.ts';
import { ajvOptions, convertQuery, isUuid, lowerCaseIds, serializerOptions } from './validation.ts';
import { waitlistRoutes } from './waitlist-entries/routes.ts';

/** Everything the API does goes through these: `src/main/api.ts` gives it the real ones. */
export interface ApiDeps {
  readonly logger: Logger;
  /** Where clients reach this API, without a slash at the end. */
  readonly publicUrl: string;
  /** Is this the address of a proxy of ours, whose X-Forwarded-For counts? */
  readonly trustsProxy?: (address: string) => boolean;
  readonly jwt: { readonly secret: string; readonly issuer: string; readonly audience: string };
  readonly rateLimit: { readonly size: WindowSize; readonly limiter: RateLimiter };
  readonly doors: Doors;
  readonly reads: Reads;
  readonly callbacks: Callbacks;
  readonly files: ForeignFiles;
  readonly readiness: Readiness;
  readonly now: () => Date;
}

const BODY_LIMIT = 64 * 1_024;

/** Fastify's own limits are off; a client that is slow or gone must not hold anything for ever. Milliseconds. */
const TIMEOUTS = {
  /** Until the whole request is there. */
  request: 15_000,
  headers: 10_000,
  /** A socket on which nothing happens. Longer than a load balancer keeps one that is idle. */
  connection: 90_000,
  keepAlive: 75_000,
  /** Until the answer: longer than a statement may run (10 s), so that the database's answer comes first. */
  handler: 20_000,
};

/** Builds the API, ready to listen or to be injected into. */
export async function createApp(deps: ApiDeps): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: deps.logger,
    trustProxy: deps.trustsProxy ?? false,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    requestTimeout: TIMEOUTS.request,
    connectionTimeout: TIMEOUTS.connection,
    keepAliveTimeout: TIMEOUTS.keepAlive,
    handlerTimeout: TIMEOUTS.handler,
    // A request without Host is ours to refuse, with a problem document.
    http: { headersTimeout: TIMEOUTS.headers, connectionsCheckingInterval: 5_000, requireHostHeader: false },
    // While closing, requests on sockets that are still open are answered as always; the socket is closed with the answer.
    return503OnClosing: false,
    bodyLimit: BODY_LIMIT,
    ajv: ajvOptions,
    serializerOpts: serializerOptions,
    frameworkErrors: (error, request, reply) =>
      void answerProblem(error, request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as FastifyInstance;

  app.decorateRequest('caller', null);
  app.decorateRequest('reach', null);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('cache-control', 'no-store');
    // RFC 9112 §3.2
    const isHostless = request.headers.host === undefined && request.raw.httpVersion === '1.1';
    done(isHostless ? invalidField('header', '/host', 'required') : undefined);
  });
  app.addHook('preValidation', (request, _reply, done) => {
    convertQuery(request);
    done();
  });
  app.addHook('preHandler', (request, _reply, done) => {
    lowerCaseIds(request);
    done();
  });
  const pseudonymOf = createPseudonyms(deps.jwt.secret);
  app.addHook('onResponse', (request, reply, done) => {
    logAnswer(request, reply, request.caller === null ? undefined : pseudonymOf(request.caller.subject));
    done();
  });
  app.setErrorHandler(answerProblem);
  app.server.on('checkExpectation', (_request, response) => {
    const status = 417;
    response
      .writeHead(status, { 'content-type': PROBLEM_MEDIA_TYPE, connection: 'close' })
      .end(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status }));
  });
  // Of whoever sends no token, or none that is good, the address is known and nothing else.
  const limitAddress = (request: FastifyRequest, reply: FastifyReply) =>
    enforceRateLimit(reply, deps.rateLimit.limiter, deps.rateLimit.size, 'address', request.ip);
  app.setNotFoundHandler(async (request, reply) => {
    await limitAddress(request, reply);
    throw new AppError('not_found');
  });
  takeJsonOnly(app);

  await app.register(helmet, {
    frameguard: { action: 'deny' },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
  });
  await app.register(jwt, {
    secret: deps.jwt.secret,
    verify: {
      algorithms: ['HS256'],
      allowedIss: deps.jwt.issuer,
      allowedAud: deps.jwt.audience,
      requiredClaims: ['iss', 'aud', 'sub', 'iat', 'exp'],
      clockTolerance: CLOCK_LEEWAY_SECONDS * 1_000,
      complete: true,
    },
  });
  await collectOpenApi(app, deps.publicUrl);
  const methods = collectMethods(app);

  await app.register(healthRoutes, { readiness: deps.readiness, limit: limitAddress });
  await app.register(async (documentation) => documentationRoutes(documentation));
  await app.register(
    async (v1) => {
      await v1.register(twilioCallbacks, { callbacks: deps.callbacks, limit: limitAddress });
      await v1.register(sendgridCallbacks, { callbacks: deps.callbacks, limit: limitAddress });
      await v1.register((protectedRoutes) => registerProtected(protectedRoutes, deps, { limitAddress, pseudonymOf }));
    },
    { prefix: '/api/v1' },
  );
  await app.after();
  refuseOtherMethods(app, methods);
  await app.ready();
  return app;
}

/** The routes that ask for a token: who it is first, then how often they came, then whether they may. */
async function registerProtected(
  app: FastifyInstance,
  deps: ApiDeps,
  counting: {
    readonly limitAddress: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
    readonly pseudonymOf: (subject: string) => string;
  },
): Promise<void> {
  const { doors, reads, files, now, rateLimit } = deps;
  const authenticate = createAuthenticator((token) => app.jwt.verify<VerifiedToken>(token));
  app.addHook('onRoute', requireOperation);
  app.addHook('onRequest', async (request, reply) => {
    try {
      request.caller = authenticate(request.headers.authorization);
    } catch (error) {
      // Whoever sent a token learns what is wrong with it, however often they came: else they would not know that they must log in again.
      const sentNone = error instanceof AppError && error.code === 'token_missing';
      await counting.limitAddress(request, reply).catch((limited: unknown) => {
        if (sentNone) throw limited;
      });
      throw error;
    }
    const key = counting.pseudonymOf(request.caller.subject);
    await enforceRateLimit(reply, rateLimit.limiter, rateLimit.size, 'user', key);
    enforceOperation(request);
  });
  await app.register(appointmentRoutes, { doors, reads, now });
  await app.register(seriesRoutes, { doors, reads, now });
  await app.register(calendarRoutes, { reads });
  await app.register(dayEndRoutes, { reads, now });
  await app.register(holdRoutes, { doors, reads, now });
  await app.register(clinicRoutes, { doors, reads, now });
  await app.register(availabilityRoutes, { reads, now });
  await app.register(providerRoutes, { doors, reads, now });
  await app.register(scheduleRoutes, { doors, reads, now });
  await app.register(closureRoutes, { doors, reads, files, now });
  await app.register(schedulePreviewRoutes, { reads, files, now });
  await app.register(patientRoutes, { doors, reads, now });
  await app.register(registrationRoutes, { doors, now });
  await app.register(waitlistRoutes, { doors, reads, now });
  await app.register(sickDayRoutes, { doors, reads, now });
  await app.register(offerRoutes, { doors, reads, now });
  await app.register(taskRoutes, { doors, reads, now });
  await app.register(notificationRoutes, { doors, reads, now });
  await app.register(replayRoutes, { doors, reads, now });
  await app.register(ehrSyncRoutes, { doors, reads, now });
}

/** A caller's own id for the request where it is a UUID, which says nothing about anybody; else one of ours. */
function requestIdOf(request: { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && isUuid(given) ? given.toLowerCase() : uuidV7();
}

/** What stands for a token's subject outside the database: whoever issues tokens chooses it, and it may be anything. */
function createPseudonyms(secret: string): (subject: string) => string {
  return (subject) => createHmac('sha256', secret).update(subject).digest('hex').slice(0, 32);
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, headers, ...extensions } = refusalOf(error);
  const { status } = PROBLEMS[code];
  if (status >= 500) request.log.error({ err: error, code, route: routeOf(request) }, 'request failed');
  return reply
    .code(status)
    .headers({ 'x-request-id': request.id, 'cache-control': 'no-store', ...headers })
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(problemDocument(code, request.id, extensions)));
}

/** What is no HTTP at all, too slow or too long has no request to answer: a problem document without a code of ours. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status });
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

function logAnswer(request: FastifyRequest, reply: FastifyReply, caller: string | undefined): void {
  request.log.info(
    {
      event: 'request',
      method: request.method,
      route: routeOf(request),
      statusCode: reply.statusCode,
      responseTime: Math.round(reply.elapsedTime * 10) / 10,
      caller,
    },
    'answered',
  );
}

/** The pattern, never the address as it was called: that could hold anything. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none';
}

type RouteMethods = ReadonlyMap<string, ReadonlySet<string>>;

/** Which methods each documented address takes. Call it before the routes are registered. */
function collectMethods(app: FastifyInstance): RouteMethods {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method, schema }) => {
    if (schema?.hide === true) return;
    const known = methods.get(url) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    methods.set(url, known);
  });
  return methods;
}

/** Every other method of an address that exists is answered 405 with Allow (RFC 9110 §15.5.6), before anything of the request is read. */
function refuseOtherMethods(app: FastifyInstance, methods: RouteMethods): void {
  for (const [url, allowed] of [...methods]) {
    const others = app.supportedMethods.filter((method) => !allowed.has(method));
    const allow = [...allowed].sort().join(', ');
    app.route({
      method: others,
      url,
      schema: { hide: true },
      onRequest: () => Promise.reject(new RequestError('method_not_allowed', { headers: { allow } })),
      handler: () => Promise.reject(new AppError('internal_error')),
    });
  }
}
