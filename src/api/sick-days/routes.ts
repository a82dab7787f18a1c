import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { AppError } from '../../domain/errors.ts';
import type { SickDayRow } from '../../db/sick-days.ts';
import type { Act } from '../../scheduling/act.ts';
import { callInSick, pauseSickDay, resumeSickDay, stopSickDay } from '../../scheduling/sick-day/sick-day.ts';
import { clinicFor, rowsOf } from '../authorization.ts';
import { actIn, callerOf, reachOf, readerOf, clinicOfProvider } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders } from '../schemas.ts';
import type { SickDayWithItems } from './queries.ts';
import {
  AbsenceBody,
  SickDay,
  SickDayBegun,
  sickDayBody,
  SickDayPage,
  SickDayPath,
  SickDayQuery,
  summaryBody,
} from './schemas.ts';

/** The doors behind these routes. */
export const sickDayDoors = { callInSick, pauseSickDay, resumeSickDay, stopSickDay };

export interface SickDayRoutes {
  readonly doors: BoundDoors<typeof sickDayDoors>;
  readonly reads: Pick<Reads, 'clinicOfProvider' | 'clinicOfSickDay' | 'sickDay' | 'sickDays'>;
  readonly now: () => Date;
}

/** Longer absences are a change of hours. Milliseconds. */
const LONGEST_ABSENCE = 366 * 86_400_000;

/** A provider is suddenly away: what becomes of their visits. */
export const sickDayRoutes: FastifyPluginCallbackTypebox<SickDayRoutes> = (app, { doors, reads, now }, done) => {
  app.post(
    '/sick-days',
    {
      config: {
        operation: 'callInSick',
        problems: ['not_found', 'in_the_past', 'step_not_in_policy', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'callInSick',
        tags: ['sick-days'],
        summary: 'Call in sick',
        description:
          'Enters the time off and sees to every visit that it hits, by the clinic’s policy: another time is held and offered, a colleague’s or on another day; else the patient is put on the waitlist, or the desk calls. Providers call in for themselves, administrators for any provider of their clinic.',
        headers: IdempotencyHeaders,
        body: AbsenceBody,
        response: { 201: SickDayBegun },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { providerId, reason = 'illness', steps } = request.body;
      const [from, to] = [new Date(request.body.from), new Date(request.body.to)];
      if (to <= from) throw invalidField('body', '/to', 'minimum');
      if (to.getTime() - from.getTime() > LONGEST_ABSENCE) throw invalidField('body', '/to', 'maximum');
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, 'POST /api/v1/sick-days', {
        ...request.body,
        from: from.toISOString(),
        to: to.toISOString(),
      });
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      // Colleagues are no secret: it is their absence that is not the caller's to enter.
      if (reachOf(request) === 'own' && caller.providerId !== providerId) throw new AppError('forbidden');
      const { replayed, ...begun } = await doors.callInSick(
        actIn(request, clinicId, now()),
        { providerId, from, to, reason, steps },
        idempotency,
      );
      return created(reply, { at: `/sick-days/${begun.sickDayId}`, replayed }, begun);
    },
  );

  app.get(
    '/sick-days',
    {
      config: { operation: 'listSickDays' },
      schema: {
        operationId: 'listSickDays',
        tags: ['sick-days'],
        summary: 'List sick days',
        description: "A provider's own; for administrators their clinic's. Newest first.",
        querystring: SickDayQuery,
        response: { 200: SickDayPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { providerId, state, limit = 25, cursor } = request.query;
      const own = caller.role === 'provider' ? caller.providerId : undefined;
      if (own !== undefined && providerId !== undefined && providerId !== own) return { sickDays: [] };
      const after = positionOf(cursor);
      const ofProvider = own ?? providerId;
      const rows = await reads.sickDays(rowsOf(caller), readerOf(request), {
        limit,
        providerId: ofProvider,
        state,
        beforeId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, ({ sickDay }) => ({
        at: sickDay.created_at,
        id: sickDay.sick_day_id,
      }));
      return { sickDays: page.map(summaryBody), ...next };
    },
  );

  app.get(
    '/sick-days/:sickDayId',
    {
      config: { operation: 'readSickDay', problems: ['not_found'] },
      schema: {
        operationId: 'readSickDay',
        tags: ['sick-days'],
        summary: 'How a sick day is going',
        description: 'How far it is, what became of each visit, and which patients could not be reached.',
        params: SickDayPath,
        response: { 200: SickDay },
      },
    },
    async (request) => sickDayBody(await visible(request)),
  );

  for (const { verb, summary, description, change } of [
    {
      verb: 'pause',
      summary: 'Pause a sick day',
      description: 'Nothing new is offered; offers that are out can still be answered. Repeating it changes nothing.',
      change: doors.pauseSickDay,
    },
    {
      verb: 'resume',
      summary: 'Resume a sick day',
      description: 'It goes on where it was. Repeating it changes nothing.',
      change: doors.resumeSickDay,
    },
    {
      verb: 'stop',
      summary: 'Stop a sick day',
      description:
        'Offers that are out are withdrawn. Visits that were not dealt with stay booked and say STOPPED. Repeating it changes nothing.',
      change: doors.stopSickDay,
    },
  ] satisfies readonly {
    verb: string;
    summary: string;
    description: string;
    change: (act: Act, wanted: { readonly sickDayId: string }) => Promise<SickDayRow>;
  }[]) {
    app.post(
      `/sick-days/:sickDayId/${verb}`,
      {
        config: { operation: 'controlSickDay', problems: ['not_found', 'sick_day_ended'] },
        schema: {
          operationId: `${verb}SickDay`,
          tags: ['sick-days'],
          summary,
          description,
          params: SickDayPath,
          response: { 200: SickDay },
        },
      },
      async (request) => {
        const { sickDay } = await visible(request);
        const ref = { sickDayId: sickDay.sick_day_id };
        await change(actIn(request, sickDay.clinic_id, now()), ref);
        return sickDayBody(await visible(request));
      },
    );
  }

  done();

  /** The sick day if it is of this provider, or of this administrator's clinic: nobody learns of a colleague's. @throws AppError `not_found` */
  async function visible(
    request: Parameters<typeof callerOf>[0] & { readonly params: { readonly sickDayId: string } },
  ): Promise<SickDayWithItems> {
    const caller = callerOf(request);
    const own = reachOf(request) === 'own' ? caller.providerId : undefined;
    const { sickDayId } = request.params;
    const clinicId = clinicFor(caller, await reads.clinicOfSickDay(sickDayId));
    const wanted = { id: sickDayId, providerId: own };
    const found = await reads.sickDay({ clinicId }, wanted, readerOf(request));
    if (found === undefined) throw new AppError('not_found');
    return found;
  }
};
