import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { appointmentBody, AppointmentPage } from '../appointments/schemas.ts';
import { namedClinic } from '../authorization.ts';
import { callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { Reads } from '../reads.ts';
import { LocalDate, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';

export interface DayEndRoutes {
  readonly reads: Pick<Reads, 'unmarkedVisits'>;
  readonly now: () => Date;
}

const DayEndQuery = Strict({
  date: Type.Optional(
    LocalDate("Only visits that start on this date, in the clinic's zone; without it all there are."),
  ),
  providerId: Type.Optional(Uuid('Only visits with this provider.')),
  ...PAGE_QUERY,
});

/** The visits that are over and that nobody has marked: whether they took place is for a person to say. */
export const dayEndRoutes: FastifyPluginCallbackTypebox<DayEndRoutes> = (app, { reads, now }, done) => {
  app.get(
    '/day-end-list',
    {
      config: { operation: 'listUnmarkedVisits' },
      schema: {
        operationId: 'listUnmarkedVisits',
        tags: ['attendance'],
        summary: 'The day-end list: visits that are over and that nobody has marked',
        description:
          "A provider's own; for administrators their clinic's. Longest over first. Each is to be completed or marked as a no-show.",
        querystring: DayEndQuery,
        response: { 200: AppointmentPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { date, providerId, limit = 25, cursor } = request.query;
      const own = caller.role === 'provider' ? caller.providerId : undefined;
      if (own !== undefined && providerId !== undefined && providerId !== own) return { appointments: [] };
      const clinicId = namedClinic(caller, undefined, 'query');
      const filter = { limit, date, providerId: own ?? providerId, after: positionOf(cursor), now: now() };
      const rows = await reads.unmarkedVisits({ clinicId }, readerOf(request), filter);
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.appointment_time, id: row.appointment_id }));
      return { appointments: page.map((row) => appointmentBody(row, true)), ...next };
    },
  );
  done();
};
