import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { isTimeZone } from '../../domain/time-zone.ts';
import type { ForeignFiles } from '../../integrations/foreign-files.ts';
import type { ClinicChange, ProviderChange } from '../../scheduling/schedule/affected-visits.ts';
import { authorize, clinicFor, namedClinic } from '../authorization.ts';
import { callerOf, reachOf, readerOf, clinicOfProvider } from '../caller.ts';
import { CALENDAR_LIMIT, CalendarBody, holidaysOf, takeCalendarsOnly } from '../closures/calendar-files.ts';
import { ClinicPath } from '../closures/schemas.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { validClosure, validHours, validSpan, validWindows } from '../schedules/valid-changes.ts';
import { ImportPreview, Preview, PreviewBody, previewOf } from './schemas.ts';

export interface SchedulePreviewRoutes {
  readonly reads: Pick<
    Reads,
    'clinicOfProvider' | 'affectedOfProvider' | 'affectedOfClinic' | 'clinic' | 'effectOfImport'
  >;
  readonly files: ForeignFiles;
  readonly now: () => Date;
}

/** Whom a change of a schedule would affect, before it is made. */
export const schedulePreviewRoutes: FastifyPluginCallbackTypebox<SchedulePreviewRoutes> = (
  app,
  { reads, files, now },
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
      if (body.kind === 'closure' || body.kind === 'zone') {
        authorize(caller, body.kind === 'closure' ? 'changeClosures' : 'changeClinic');
        const clinicId = namedClinic(caller, undefined, 'body');
        const asked = { clinicId, change: clinicChangeOf(body), now: now() };
        const { timeZone, affected } = await reads.affectedOfClinic({ clinicId }, readerOf(request), asked);
        return previewOf(timeZone, affected);
      }
      // Inside a union the id is as it was written (RFC 9562 §4 allows capitals).
      const providerId = body.providerId.toLowerCase();
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      if (reachOf(request) === 'own' && caller.providerId !== providerId) throw new AppError('forbidden');
      const asked = { providerId, change: changeOf(body), now: now() };
      const found = await reads.affectedOfProvider({ clinicId }, readerOf(request), asked);
      return previewOf(found.schedule.timeZone, found.affected);
    },
  );

  void app.register((calendars, _options, registered) => {
    takeCalendarsOnly(calendars);
    registerImportPreview(calendars);
    registered();
  });

  done();

  function registerImportPreview(calendars: FastifyInstance): void {
    calendars.post<{ Params: { clinicId: string }; Body: string }>(
      '/clinics/:clinicId/closures/import/preview',
      {
        bodyLimit: CALENDAR_LIMIT,
        config: { operation: 'changeClosures', problems: ['not_found', 'calendar_invalid', 'file_too_costly'] },
        schema: {
          operationId: 'previewClosureImport',
          tags: ['schedules'],
          summary: 'Whom the holidays of a calendar file would affect',
          description:
            'The same file as it would be imported. It writes nothing, and says what the import would say: what it makes of the file, and the booked visits to come on the dates that would be closed.',
          params: ClinicPath,
          body: { content: { 'text/calendar': { schema: CalendarBody } } },
          response: { 200: ImportPreview },
        },
      },
      async (request, reply) => {
        const caller = callerOf(request);
        const clinicId = clinicFor(caller, request.params.clinicId);
        const clinic = await reads.clinic({ clinicId }, clinicId);
        if (clinic === undefined) throw new AppError('not_found');
        const { events, skipped } = await holidaysOf(files, caller, clinic, request.body, now());
        const found = await reads.effectOfImport({ clinicId }, readerOf(request), { clinicId, events, now: now() });
        const { added, unchanged, removed, timeZone, affected } = found;
        return reply.send({
          imported: added.length,
          unchanged,
          removed: removed.length,
          ...previewOf(timeZone, affected),
          skipped,
        });
      },
    );
  }
};

function clinicChangeOf(body: Extract<PreviewBody, { kind: 'closure' | 'zone' }>): ClinicChange {
  if (body.kind === 'closure') return { kind: 'closures', closures: [validClosure(body)] };
  if (!isTimeZone(body.timeZone)) throw invalidField('body', '/timeZone', 'timeZone');
  return { kind: 'zone', timeZone: body.timeZone };
}

function changeOf(body: Exclude<PreviewBody, { kind: 'closure' | 'zone' }>): ProviderChange {
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
