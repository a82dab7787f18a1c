import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { completeCallTask } from '../../scheduling/sick-day/call-task.ts';
import { clinicFor, rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { CallDoneBody, CallTask, callTaskBody, CallTaskPage, CallTaskPath, CallTaskQuery } from './schemas.ts';

/** The doors behind these routes. */
export const callTaskDoors = { completeCallTask };

export interface CallTaskRoutes {
  readonly doors: BoundDoors<typeof callTaskDoors>;
  readonly reads: Pick<Reads, 'clinicOfCallTask' | 'callTasks'>;
  readonly now: () => Date;
}

/** The calls that the desk has to make. */
export const callTaskRoutes: FastifyPluginCallbackTypebox<CallTaskRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/call-tasks',
    {
      config: { operation: 'listCallTasks' },
      schema: {
        operationId: 'listCallTasks',
        tags: ['sick-days'],
        summary: 'List call tasks',
        description: "The clinic's. Longest waiting first.",
        querystring: CallTaskQuery,
        response: { 200: CallTaskPage },
      },
    },
    async (request) => {
      const { state, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.callTasks(rowsOf(callerOf(request)), readerOf(request), {
        limit,
        state,
        afterId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.call_task_id }));
      return { callTasks: page.map(callTaskBody), ...next };
    },
  );

  app.post(
    '/call-tasks/:callTaskId/done',
    {
      config: { operation: 'completeCallTask', problems: ['not_found'] },
      schema: {
        operationId: 'completeCallTask',
        tags: ['sick-days'],
        summary: 'A call has been made',
        description: 'The first outcome counts; repeating it changes nothing.',
        params: CallTaskPath,
        body: CallDoneBody,
        response: { 200: CallTask },
      },
    },
    async (request) => {
      const { callTaskId } = request.params;
      const clinicId = clinicFor(callerOf(request), await reads.clinicOfCallTask(callTaskId));
      const { outcome } = request.body;
      return callTaskBody(await doors.completeCallTask(actIn(request, clinicId, now()), { callTaskId, outcome }));
    },
  );
  done();
};
