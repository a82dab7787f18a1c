import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import { createProvider, changeProvider } from '../../scheduling/registry/provider.ts';
import { clinicFor, namedClinic, rowsOf } from '../authorization.ts';
import { actIn, callerOf, clinicOfProvider } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { entityTag, requiredVersion } from '../entity-tag.ts';
import { idempotencyOf } from '../idempotency.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders, VersionHeaders } from '../schemas.ts';
import {
  NewProviderBody,
  ProviderAnswer,
  ProviderBody,
  providerBody,
  ProviderCreated,
  ProviderPage,
  ProviderPath,
  ProviderQuery,
} from './schemas.ts';

/** The doors behind these routes. */
export const providerDoors = { createProvider, changeProvider };

export interface ProviderRoutes {
  readonly doors: BoundDoors<typeof providerDoors>;
  readonly reads: Reads;
  readonly now: () => Date;
}

/** Whom a patient can see. */
export const providerRoutes: FastifyPluginCallbackTypebox<ProviderRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/providers',
    {
      config: { operation: 'listProviders', problems: ['not_found'] },
      schema: {
        operationId: 'listProviders',
        tags: ['providers'],
        summary: 'List providers',
        querystring: ProviderQuery,
        response: { 200: ProviderPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { clinicId, specialty, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.providers(
        caller.role === 'patient' && clinicId === undefined
          ? rowsOf(caller)
          : { clinicId: namedClinic(caller, clinicId, 'query') },
        {
          limit,
          specialty,
          afterId: after?.id,
        },
      );
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.provider_id }));
      return { providers: page.map((row) => providerBody(row, caller.role !== 'patient')), ...next };
    },
  );

  app.get(
    '/providers/:providerId',
    {
      config: { operation: 'readProvider', problems: ['not_found'] },
      schema: {
        operationId: 'readProvider',
        tags: ['providers'],
        summary: 'Read a provider',
        params: ProviderPath,
        response: { 200: ProviderAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { providerId } = request.params;
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      const row = await reads.provider({ clinicId }, providerId);
      if (row === undefined) throw new AppError('not_found');
      return reply.header('etag', entityTag(row.version)).send(providerBody(row, caller.role !== 'patient'));
    },
  );

  app.post(
    '/providers',
    {
      config: {
        operation: 'createProvider',
        problems: ['not_found', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'createProvider',
        tags: ['providers'],
        summary: 'Add a provider',
        description: "At the token's clinic. Nobody can book until there are hours.",
        headers: IdempotencyHeaders,
        body: NewProviderBody,
        response: { 201: ProviderCreated },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinicId = clinicFor(caller, caller.clinicId);
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, 'POST /api/v1/providers', {
        clinicId,
        ...request.body,
      });
      const act = actIn(request, clinicId, now());
      const { provider, replayed } = await doors.createProvider(act, request.body, idempotency);
      return created(
        reply,
        { at: `/providers/${provider.provider_id}`, version: provider.version, replayed },
        providerBody(provider, true),
      );
    },
  );

  app.patch(
    '/providers/:providerId',
    {
      config: { operation: 'changeProvider', problems: ['not_found', 'precondition_required', 'version_mismatch'] },
      schema: {
        operationId: 'changeProvider',
        tags: ['providers'],
        summary: 'Change a provider',
        description: 'What is left out stays. Booked visits stay too, whatever changes.',
        params: ProviderPath,
        headers: VersionHeaders,
        body: ProviderBody,
        response: { 200: ProviderAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { providerId } = request.params;
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      const provider = await doors.changeProvider(actIn(request, clinicId, now()), {
        ...request.body,
        providerId,
        expectedVersion: requiredVersion(request.headers['if-match']),
      });
      return reply.header('etag', entityTag(provider.version)).send(providerBody(provider, true));
    },
  );
  done();
};
