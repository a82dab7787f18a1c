import { visitOf } from '../../domain/clock.ts';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../domain/errors.ts';
import { writeVisit } from '../../integrations/icalendar/write-visit.ts';
import { rowsOf } from '../authorization.ts';
import { callerOf, readerOf } from '../caller.ts';
import { entityTag } from '../entity-tag.ts';
import type { Reads } from '../reads.ts';
import { ETAG_HEADER } from '../schemas.ts';
import { AppointmentPath } from './schemas.ts';

export interface CalendarRoutes {
  readonly reads: Pick<Reads, 'appointmentAtClinic'>;
}

/** A visit for the patient's own calendar. */
export const calendarRoutes: FastifyPluginCallbackTypebox<CalendarRoutes> = (app, { reads }, done) => {
  app.get(
    '/appointments/:appointmentId/calendar',
    {
      config: { operation: 'readAppointment', problems: ['not_found'] },
      schema: {
        operationId: 'readCalendarFile',
        tags: ['appointments'],
        summary: 'The calendar file of an appointment',
        description:
          'One event (RFC 5545) without the reason for the visit. A calendar that reads a newer file replaces what it has; a visit that is called off is CANCELLED in it.',
        params: AppointmentPath,
        response: {
          200: {
            description: 'The calendar file.',
            headers: ETAG_HEADER,
            content: { 'text/calendar': { schema: Type.String() } },
          },
        },
      },
    },
    async (request, reply) => {
      const { appointmentId } = request.params;
      const found = await reads.appointmentAtClinic(rowsOf(callerOf(request)), appointmentId, readerOf(request));
      if (found === undefined) throw new AppError('not_found');
      const { appointment, clinicName } = found;
      const from = appointment.appointment_time;
      return reply
        .header('etag', entityTag(appointment.version))
        .header('content-disposition', 'attachment; filename="appointment.ics"')
        .type('text/calendar; charset=utf-8')
        .send(
          writeVisit({
            uid: appointmentId,
            sequence: appointment.version - 1,
            changedAt: appointment.updated_at,
            from,
            to: new Date(visitOf(appointment).to),
            status: appointment.status === 'CANCELLED' ? 'CANCELLED' : 'CONFIRMED',
            summary: 'Appointment',
            location: clinicName,
          }),
        );
    },
  );
  done();
};
