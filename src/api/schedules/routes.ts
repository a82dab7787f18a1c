import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { addDays, localDate } from '../../domain/time-zone.ts';
import { changeHours, overrideDate, clearOverride } from '../../scheduling/schedule/hours.ts';
import { addTimeOff, removeTimeOff } from '../../scheduling/schedule/time-off.ts';
import { actIn, callerOf, reachOf, clinicOfProvider } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { entityTag, requiredVersion } from '../entity-tag.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders, Nothing, VersionHeaders } from '../schemas.ts';
import {
  Changed,
  HoursBody,
  HoursChanged,
  OverrideBody,
  OverrideList,
  overrideList,
  OverridePath,
  OverrideQuery,
  ProviderPath,
  Schedule,
  scheduleBody,
  TimeOffAdded,
  TimeOffBody,
  timeOffBody,
  TimeOffPage,
  TimeOffPath,
  TimeOffQuery,
} from './schemas.ts';
import { validHours, validSpan, validWindows } from './valid-changes.ts';

/** The doors behind these routes. */
export const scheduleDoors = { changeHours, overrideDate, clearOverride, addTimeOff, removeTimeOff };

export interface ScheduleRoutes {
  readonly doors: BoundDoors<typeof scheduleDoors>;
  readonly reads: Pick<Reads, 'clinicOfProvider' | 'schedule' | 'overrides' | 'timeOff'>;
  readonly now: () => Date;
}

const TIME_OFF_ROUTE = 'POST /api/v1/providers/{providerId}/time-off';
const DAYS_OF_OVERRIDES = 366;

/** When a provider works: weekly hours and breaks, other hours on a date, and when they are away. */
export const scheduleRoutes: FastifyPluginCallbackTypebox<ScheduleRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/providers/:providerId/schedule',
    {
      config: { operation: 'readSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'readSchedule',
        tags: ['schedules'],
        summary: "Read a provider's weekly hours and breaks",
        params: ProviderPath,
        response: { 200: Schedule },
      },
    },
    async (request, reply) => {
      const { providerId } = request.params;
      const schedule = await reads.schedule({ clinicId: await clinicOf(request, providerId) }, providerId);
      if (schedule === undefined) throw new AppError('not_found');
      return reply.header('etag', entityTag(schedule.scheduleVersion)).send(scheduleBody(schedule));
    },
  );

  app.put(
    '/providers/:providerId/schedule',
    {
      config: { operation: 'changeSchedule', problems: ['not_found', 'precondition_required', 'version_mismatch'] },
      schema: {
        operationId: 'changeHours',
        tags: ['schedules'],
        summary: "Replace a provider's weekly hours and breaks",
        description: 'Providers change their own, administrators all of their clinic. Booked visits stay.',
        params: ProviderPath,
        headers: VersionHeaders,
        body: HoursBody,
        response: { 200: HoursChanged },
      },
    },
    async (request, reply) => {
      const { providerId } = request.params;
      const clinicId = await clinicToChange(request, providerId);
      const { scheduleVersion, affectedAppointments } = await doors.changeHours(actIn(request, clinicId, now()), {
        providerId,
        ...validHours(request.body),
        expectedVersion: requiredVersion(request.headers['if-match']),
      });
      return reply.header('etag', entityTag(scheduleVersion)).send({ affectedAppointments });
    },
  );

  app.get(
    '/providers/:providerId/overrides',
    {
      config: { operation: 'readSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'listOverrides',
        tags: ['schedules'],
        summary: 'The dates on which a provider has other hours',
        params: ProviderPath,
        querystring: OverrideQuery,
        response: { 200: OverrideList },
      },
    },
    async (request) => {
      const { providerId } = request.params;
      const clinicId = await clinicOf(request, providerId);
      const schedule = await reads.schedule({ clinicId }, providerId);
      if (schedule === undefined) throw new AppError('not_found');
      const { from = localDate(schedule.timeZone, now().getTime()) } = request.query;
      const { to = addDays(from, DAYS_OF_OVERRIDES) } = request.query;
      if (to < from) throw invalidField('query', '/to', 'minimum');
      if (to > addDays(from, DAYS_OF_OVERRIDES)) throw invalidField('query', '/to', 'maximum');
      return overrideList(await reads.overrides({ clinicId }, providerId, from, to));
    },
  );

  app.put(
    '/providers/:providerId/overrides/:date',
    {
      config: { operation: 'changeSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'overrideDate',
        tags: ['schedules'],
        summary: 'Give a date its own hours, or close it',
        description: 'In place of the weekly hours, not of the breaks. Repeating it changes nothing.',
        params: OverridePath,
        body: OverrideBody,
        response: { 200: Changed },
      },
    },
    async (request) => {
      const { providerId, date } = request.params;
      const clinicId = await clinicToChange(request, providerId);
      const windows = validWindows(request.body.windows);
      const { affectedAppointments } = await doors.overrideDate(actIn(request, clinicId, now()), {
        providerId,
        date,
        windows,
      });
      return { affectedAppointments };
    },
  );

  app.delete(
    '/providers/:providerId/overrides/:date',
    {
      config: { operation: 'changeSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'clearOverride',
        tags: ['schedules'],
        summary: 'The weekly hours hold on a date again',
        params: OverridePath,
        response: { 200: Changed },
      },
    },
    async (request) => {
      const { providerId, date } = request.params;
      const clinicId = await clinicToChange(request, providerId);
      const { affectedAppointments } = await doors.clearOverride(actIn(request, clinicId, now()), { providerId, date });
      return { affectedAppointments };
    },
  );

  app.get(
    '/providers/:providerId/time-off',
    {
      config: { operation: 'readSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'listTimeOff',
        tags: ['schedules'],
        summary: 'When a provider is away',
        description: 'Earliest start first.',
        params: ProviderPath,
        querystring: TimeOffQuery,
        response: { 200: TimeOffPage },
      },
    },
    async (request) => {
      const { providerId } = request.params;
      const clinicId = await clinicOf(request, providerId);
      const { from, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.timeOff({ clinicId }, providerId, {
        from: from === undefined ? now() : new Date(from),
        limit,
        after,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.from_time, id: row.time_off_id }));
      return { timeOff: page.map(timeOffBody), ...next };
    },
  );

  app.post(
    '/providers/:providerId/time-off',
    {
      config: {
        operation: 'changeSchedule',
        problems: ['not_found', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'addTimeOff',
        tags: ['schedules'],
        summary: 'A provider is away',
        description: 'Providers enter their own, administrators all of their clinic. Booked visits stay.',
        params: ProviderPath,
        headers: IdempotencyHeaders,
        body: TimeOffBody,
        response: { 201: TimeOffAdded },
      },
    },
    async (request, reply) => {
      const { providerId } = request.params;
      const clinicId = await clinicToChange(request, providerId);
      const span = validSpan(request.body);
      const { timeOffId, affectedAppointments, replayed } = await doors.addTimeOff(
        actIn(request, clinicId, now()),
        { providerId, from: new Date(span.from), to: new Date(span.to) },
        idempotencyOf(request.headers['idempotency-key'], callerOf(request), TIME_OFF_ROUTE, { providerId, ...span }),
      );
      return created(
        reply,
        { at: `/providers/${providerId}/time-off/${timeOffId}`, replayed },
        { timeOffId, affectedAppointments },
      );
    },
  );

  app.delete(
    '/providers/:providerId/time-off/:timeOffId',
    {
      config: { operation: 'changeSchedule', problems: ['not_found'] },
      schema: {
        operationId: 'removeTimeOff',
        tags: ['schedules'],
        summary: 'A provider is not away after all',
        params: TimeOffPath,
        response: { 204: Nothing('Removed.') },
      },
    },
    async (request, reply) => {
      const { providerId, timeOffId } = request.params;
      const clinicId = await clinicToChange(request, providerId);
      await doors.removeTimeOff(actIn(request, clinicId, now()), { providerId, timeOffId });
      return reply.code(204).send(null);
    },
  );

  done();

  /** @throws AppError `not_found` */
  async function clinicOf(request: FastifyRequest, providerId: string): Promise<string> {
    return await clinicOfProvider(callerOf(request), reads, providerId);
  }

  /** @throws AppError `not_found`, `forbidden` for a colleague's schedule */
  async function clinicToChange(request: FastifyRequest, providerId: string): Promise<string> {
    const clinicId = await clinicOf(request, providerId);
    if (reachOf(request) === 'own' && callerOf(request).providerId !== providerId) throw new AppError('forbidden');
    return clinicId;
  }
};
