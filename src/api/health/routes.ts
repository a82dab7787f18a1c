import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Readiness } from './readiness.ts';

export interface HealthRoutes {
  readonly readiness: Readiness;
  /** Counts a request by its address. @throws RequestError `rate_limited` */
  readonly limit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

const Check = Type.Enum(['ok', 'failed']);

const Ready = Type.Object({
  status: Type.Enum(['ready', 'not_ready']),
  checks: Type.Object({ database: Check, migrations: Check, draining: Type.Boolean() }),
  reported: Type.Record(Type.String(), Check, { description: 'Told only: the API works without them.' }),
});

/** For clients and simple balancers; those beside the process ask its admin port (`src/main/role.ts`), which counts nothing. No token. */
export const healthRoutes: FastifyPluginCallbackTypebox<HealthRoutes> = (app, { readiness, limit }, done) => {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'isAlive',
        tags: ['health'],
        summary: 'Does the process answer?',
        security: [],
        response: { 200: Type.Object({ status: Type.Enum(['alive']) }) },
      },
    },
    () => ({ status: 'alive' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { problems: ['rate_limited'] },
      schema: {
        operationId: 'isReady',
        tags: ['health'],
        summary: 'May traffic be sent here?',
        description: 'PostgreSQL answers, its migrations have run, and the process is not about to stop.',
        security: [],
        response: { 200: Ready, 503: Ready },
      },
    },
    async (request, reply) => {
      await limit(request, reply);
      const report = await readiness();
      return reply.code(report.status === 'ready' ? 200 : 503).send(report);
    },
  );
  done();
};
