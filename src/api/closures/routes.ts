import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { ClinicRow } from '../../db/clinics.ts';
import { AppError } from '../../domain/errors.ts';
import { localDate } from '../../domain/time-zone.ts';
import type { ForeignFiles } from '../../integrations/foreign-files.ts';
import { addClosure, removeClosure, importClosures } from '../../scheduling/schedule/closures.ts';
import { clinicFor } from '../authorization.ts';
import { actIn, callerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { idempotencyOf, REPLAYED_HEADER } from '../idempotency.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { validClosure } from '../schedules/valid-changes.ts';
import { IdempotencyHeaders, Nothing } from '../schemas.ts';
import { CALENDAR_LIMIT, CalendarBody, holidaysOf, takeCalendarsOnly } from './calendar-files.ts';
import { positionOfClosure } from './queries.ts';
import {
  ClinicPath,
  ClosureAdded,
  ClosureBody,
  closureBody,
  ClosurePage,
  ClosurePath,
  ClosureQuery,
  ClosuresImported,
} from './schemas.ts';

/** The doors behind these routes. */
export const closureDoors = { addClosure, removeClosure, importClosures };

export interface ClosureRoutes {
  readonly doors: BoundDoors<typeof closureDoors>;
  readonly reads: Pick<Reads, 'clinic' | 'closures'>;
  readonly files: ForeignFiles;
  readonly now: () => Date;
}

const CLOSURES_ROUTE = 'POST /api/v1/clinics/{clinicId}/closures';

/** When a whole clinic is closed. */
export const closureRoutes: FastifyPluginCallbackTypebox<ClosureRoutes> = (app, { doors, reads, files, now }, done) => {
  app.get(
    '/clinics/:clinicId/closures',
    {
      config: { operation: 'readSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'listClosures',
        tags: ['schedules'],
        summary: 'When a clinic is closed',
        description: 'Earliest first date first.',
        params: ClinicPath,
        querystring: ClosureQuery,
        response: { 200: ClosurePage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const clinic = await clinicAt(clinicFor(caller, request.params.clinicId));
      const { from = today(clinic), limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.closures({ clinicId: clinic.clinic_id }, clinic.clinic_id, {
        from,
        limit,
        after,
      });
      const { page, next } = pageOf(rows, limit, positionOfClosure);
      return { closures: page.map(closureBody), ...next };
    },
  );

  app.post(
    '/clinics/:clinicId/closures',
    {
      config: {
        operation: 'changeClosures',
        problems: ['not_found', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'addClosure',
        tags: ['schedules'],
        summary: 'Close a clinic',
        description: 'For every provider, on whole dates. Booked visits stay.',
        params: ClinicPath,
        headers: IdempotencyHeaders,
        body: ClosureBody,
        response: { 201: ClosureAdded },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinicId = clinicFor(caller, request.params.clinicId);
      const closure = validClosure(request.body);
      const { closureId, affectedAppointments, replayed } = await doors.addClosure(
        actIn(request, clinicId, now()),
        closure,
        idempotencyOf(request.headers['idempotency-key'], caller, CLOSURES_ROUTE, { clinicId, ...closure }),
      );
      return created(
        reply,
        { at: `/clinics/${clinicId}/closures/${closureId}`, replayed },
        { closureId, affectedAppointments },
      );
    },
  );

  app.delete(
    '/clinics/:clinicId/closures/:closureId',
    {
      config: { operation: 'changeClosures', problems: ['not_found'] },
      schema: {
        operationId: 'removeClosure',
        tags: ['schedules'],
        summary: 'A clinic is open after all',
        params: ClosurePath,
        response: { 204: Nothing('Removed.') },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { clinicId, closureId } = request.params;
      await doors.removeClosure(actIn(request, clinicFor(caller, clinicId), now()), { closureId });
      return reply.code(204).send(null);
    },
  );

  // In a scope of its own, because no other route takes a calendar and this one takes nothing else.
  void app.register((calendars, _options, registered) => {
    takeCalendarsOnly(calendars);
    registerImport(calendars);
    registered();
  });

  done();

  function registerImport(calendars: FastifyInstance): void {
    calendars.post<{ Params: { clinicId: string }; Body: string }>(
      '/clinics/:clinicId/closures/import',
      {
        bodyLimit: CALENDAR_LIMIT,
        config: {
          operation: 'changeClosures',
          problems: [
            'not_found',
            'calendar_invalid',
            'file_too_costly',
            'idempotency_in_progress',
            'idempotency_mismatch',
          ],
        },
        schema: {
          operationId: 'importClosures',
          tags: ['schedules'],
          summary: 'Close a clinic on the holidays of a calendar file',
          description:
            'Whole-day events become closures; what recurs every year on its date becomes a yearly one, other recurrences are added for as far as anybody can book and a year more. An event is known by its UID: importing it again adds nothing, and one that has changed replaces what was imported of it, also where it makes no closure any more. Booked visits stay.',
          params: ClinicPath,
          headers: IdempotencyHeaders,
          body: { content: { 'text/calendar': { schema: CalendarBody } } },
          response: { 200: ClosuresImported },
        },
      },
      async (request, reply) => {
        const caller = callerOf(request);
        const clinic = await clinicAt(clinicFor(caller, request.params.clinicId));
        const { events, skipped } = await holidaysOf(files, caller, clinic, request.body, now());
        const { replayed, ...counts } = await doors.importClosures(
          actIn(request, clinic.clinic_id, now()),
          events,
          idempotencyOf(request.headers['idempotency-key'], caller, `${CLOSURES_ROUTE}/import`, {
            clinicId: clinic.clinic_id,
            file: request.body,
          }),
        );
        if (replayed) void reply.header(REPLAYED_HEADER, 'true');
        return reply.send({ ...counts, skipped });
      },
    );
  }

  /** @throws AppError `not_found` */
  async function clinicAt(clinicId: string): Promise<ClinicRow> {
    const clinic = await reads.clinic({ clinicId }, clinicId);
    if (clinic === undefined) throw new AppError('not_found');
    return clinic;
  }

  function today(clinic: ClinicRow): string {
    return localDate(clinic.time_zone, now().getTime());
  }
};
