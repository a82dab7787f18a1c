import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import { bookSeries } from '../../scheduling/visits/book-series.ts';
import { assertOwnPatient, authorize, rowsOf } from '../authorization.ts';
import { actIn, callerOf, readerOf, clinicOfProvider } from '../caller.ts';
import type { BoundDoors } from '../doors.ts';
import { idempotencyOf } from '../idempotency.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import { BookedSeriesAnswer, bookedSeriesBody, Series, SeriesBody, seriesBody, SeriesPath } from './schemas.ts';

/** The doors behind these routes. */
export const seriesDoors = { bookSeries };

export interface SeriesRoutes {
  readonly doors: BoundDoors<typeof seriesDoors>;
  readonly reads: Pick<Reads, 'clinicOfProvider' | 'series'>;
  readonly now: () => Date;
}

const BOOKING_ROUTE = 'POST /api/v1/appointment-series';

/** Visits every so many weeks. Its visits are moved and cancelled like any other, alone or with those that follow. */
export const seriesRoutes: FastifyPluginCallbackTypebox<SeriesRoutes> = (app, { doors, reads, now }, done) => {
  app.post(
    '/appointment-series',
    {
      config: {
        operation: 'bookAppointmentSeries',
        problems: ['not_found', 'series_clash', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'bookAppointmentSeries',
        tags: ['appointments'],
        summary: 'Book a recurring series',
        description:
          'A visit every so many weeks at the same time of day in the clinic’s zone. All dates are booked or none: the refusal lists in clashes every date that cannot be had, and why. The patient gets one confirmation, and a reminder before each visit.',
        headers: IdempotencyHeaders,
        body: SeriesBody,
        response: { 201: BookedSeriesAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { patientId, providerId, durationMinutes, everyWeeks, count, override } = request.body;
      if (override !== undefined) authorize(caller, 'overrideRules');
      const appointmentTime = new Date(request.body.appointmentTime);
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, BOOKING_ROUTE, {
        ...request.body,
        appointmentTime: appointmentTime.toISOString(),
      });
      assertOwnPatient(caller, patientId);
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      const series = await doors.bookSeries(
        actIn(request, clinicId, now()),
        {
          patientId,
          providerId,
          appointmentTime,
          durationMinutes,
          everyWeeks,
          count,
          registersPatient: caller.role === 'patient',
          override,
        },
        idempotency,
      );
      return created(
        reply,
        { at: `/appointment-series/${series.seriesId}`, replayed: series.replayed },
        bookedSeriesBody(series),
      );
    },
  );

  app.get(
    '/appointment-series/:seriesId',
    {
      config: { operation: 'readAppointmentSeries', problems: ['not_found'] },
      schema: {
        operationId: 'readAppointmentSeries',
        tags: ['appointments'],
        summary: 'Read a recurring series',
        description: 'With all its visits: those that were moved, cancelled or took place, too.',
        params: SeriesPath,
        response: { 200: Series },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const found = await reads.series(rowsOf(caller), request.params.seriesId, readerOf(request));
      if (found === undefined) throw new AppError('not_found');
      return seriesBody(found.series, found.visits, caller.role !== 'patient');
    },
  );

  done();
};
