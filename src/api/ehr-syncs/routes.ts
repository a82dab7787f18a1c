import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import { requestSync } from '../../scheduling/ehr-sync.ts';
import { namedClinic } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import { idempotencyOf } from '../idempotency.ts';
import type { BoundDoors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { accepted } from '../replies.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import {
  runBody,
  runDetailBody,
  RunPath,
  RunQuery,
  RunsQuery,
  SyncBody,
  SyncRunDetail,
  SyncRunPage,
  SyncStarted,
} from './schemas.ts';

/** The doors behind these routes. */
export const syncDoors = { requestSync };

export interface EhrSyncRoutes {
  readonly reads: Reads;
  readonly doors: BoundDoors<typeof syncDoors>;
  readonly now: () => Date;
}

/** Telling the clinic's EHR now instead of tonight, and how it went. */
export const ehrSyncRoutes: FastifyPluginCallbackTypebox<EhrSyncRoutes> = (app, { doors, reads, now }, done) => {
  app.post(
    '/ehr-syncs',
    {
      config: {
        operation: 'syncEhr',
        problems: ['not_found', 'ehr_not_configured', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'syncEhr',
        tags: ['ehr'],
        summary: 'Sync with the EHR now',
        headers: IdempotencyHeaders,
        body: SyncBody,
        response: {
          202: SyncStarted,
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinicId = namedClinic(caller, request.body?.clinicId, 'body');
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, 'POST /api/v1/ehr-syncs', {
        clinicId,
      });
      const { runId, replayed } = await doors.requestSync(actIn(request, clinicId, now()), idempotency);
      return accepted(reply, { at: `/ehr-syncs/${runId}`, replayed }, { runId });
    },
  );

  app.get(
    '/ehr-syncs',
    {
      config: { operation: 'syncEhr', problems: ['not_found'] },
      schema: {
        operationId: 'listEhrSyncs',
        tags: ['ehr'],
        summary: 'List sync runs',
        description: 'Newest first, the nightly ones included.',
        querystring: RunsQuery,
        response: { 200: SyncRunPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { clinicId, limit = 25, cursor } = request.query;
      const before = positionOf(cursor);
      const rows = await reads.syncRuns(
        { clinicId: namedClinic(caller, clinicId, 'query') },
        {
          limit,
          beforeId: before?.id,
        },
      );
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.started_at, id: row.run_id }));
      return { ehrSyncs: page.map(runBody), ...next };
    },
  );

  app.get(
    '/ehr-syncs/:runId',
    {
      config: { operation: 'syncEhr', problems: ['not_found'] },
      schema: {
        operationId: 'readEhrSync',
        tags: ['ehr'],
        summary: 'Read a sync run',
        params: RunPath,
        querystring: RunQuery,
        response: { 200: SyncRunDetail },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const clinicId = namedClinic(caller, request.query.clinicId, 'query');
      const found = await reads.syncRun({ clinicId }, request.params.runId, readerOf(request));
      if (found === undefined) throw new AppError('not_found');
      return runDetailBody(found);
    },
  );
  done();
};
