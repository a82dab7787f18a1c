import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { resolveTask } from '../../scheduling/tasks.ts';
import { clinicFor, rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import type { Reads } from '../reads.ts';
import { ResolveBody, Task, taskBody, TaskPage, TaskPath, TaskQuery } from './schemas.ts';

/** The doors behind these routes. */
export const taskDoors = { resolveTask };

export interface TaskRoutes {
  readonly doors: BoundDoors<typeof taskDoors>;
  readonly reads: Pick<Reads, 'clinicOfTask' | 'tasks'>;
  readonly now: () => Date;
}

/** What the desk has to do. */
export const taskRoutes: FastifyPluginCallbackTypebox<TaskRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/tasks',
    {
      config: { operation: 'listTasks' },
      schema: {
        operationId: 'listTasks',
        tags: ['tasks'],
        summary: 'List tasks',
        description: "The clinic's. Longest waiting first.",
        querystring: TaskQuery,
        response: { 200: TaskPage },
      },
    },
    async (request) => {
      const { state, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.tasks(rowsOf(callerOf(request)), readerOf(request), {
        limit,
        state,
        afterId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.task_id }));
      return { tasks: page.map(taskBody), ...next };
    },
  );

  app.post(
    '/tasks/:taskId/resolve',
    {
      config: { operation: 'resolveTask', problems: ['not_found'] },
      schema: {
        operationId: 'resolveTask',
        tags: ['tasks'],
        summary: 'Resolve a task',
        description: 'The first outcome counts; repeating it changes nothing.',
        params: TaskPath,
        body: ResolveBody,
        response: { 200: Task },
      },
    },
    async (request) => {
      const { taskId } = request.params;
      const clinicId = clinicFor(callerOf(request), await reads.clinicOfTask(taskId));
      const { outcome } = request.body;
      return taskBody(await doors.resolveTask(actIn(request, clinicId, now()), { taskId, outcome }));
    },
  );
  done();
};
