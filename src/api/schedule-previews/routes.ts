import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import type { ScheduleChange } from '../../domain/schedule-change.ts';
import { authorize, clinicFor, namedClinic } from '../authorization.ts';
import { callerOf, reachOf, readerOf } from '../caller.ts';
import type { Reads } from '../reads.ts';
import { validClosure, validHours, validSpan, validWindows } from '../schedules/valid-changes.ts';
import { Preview, PreviewBody, previewOf } from './schemas.ts';

export interface SchedulePreviewRoutes {
  readonly reads: Pick<Reads, 'clinicOfProvider' | 'affectedOfProvider' | 'affectedOfClinic'>;
  readonly now: () => Date;
}

/** Whom a change of a schedule would affect, before it is made. */
export const schedulePreviewRoutes: FastifyPluginCallbackTypebox<SchedulePreviewRoutes> = (
  app,
  { reads, now },
  done,
) => {
  app.post(
    '/schedule-previews',
    {
      config: { operation: 'changeSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'previewScheduleChange',
        tags: ['schedules'],
        summary: 'Whom a change of a schedule would affect',
        description:
          'The same change as it would be made, with its kind. It writes nothing. Affected are booked visits to come that a rule would refuse after the change and does not refuse now. Taking back time off or a closure affects nobody.',
        body: PreviewBody,
        response: { 200: Preview },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { body } = request;
      if (body.kind === 'closure') {
        authorize(caller, 'changeClosures');
        const clinicId = namedClinic(caller, undefined, 'body');
        const change = { kind: 'closures', closures: [validClosure(body)] } as const;
        const { timeZone, affected } = await reads.affectedOfClinic(clinicId, readerOf(request), change, now());
        return previewOf(timeZone, affected);
      }
      // Inside a union the id is as it was written (RFC 9562 §4 allows capitals).
      const providerId = body.providerId.toLowerCase();
      const clinicId = clinicFor(caller, await reads.clinicOfProvider(providerId));
      if (reachOf(request) === 'own' && caller.providerId !== providerId) throw new AppError('forbidden');
      const found = await reads.affectedOfProvider(clinicId, readerOf(request), providerId, changeOf(body), now());
      return previewOf(found.schedule.timeZone, found.affected);
    },
  );
  done();
};

function changeOf(body: Exclude<PreviewBody, { kind: 'closure' }>): ScheduleChange {
  switch (body.kind) {
    case 'hours':
      return { kind: 'hours', ...validHours(body) };
    case 'override':
      return { kind: 'override', date: body.date, windows: validWindows(body.windows) };
    case 'override_cleared':
      return { kind: 'override_cleared', date: body.date };
    case 'time_off':
      return { kind: 'time_off', during: validSpan(body) };
  }
}
