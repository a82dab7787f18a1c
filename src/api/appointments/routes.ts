import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { AppointmentRow } from '../../db/appointments.ts';
import { AppError, BOOKING_REFUSALS, type ErrorCode } from '../../domain/errors.ts';
import type { RuleOverride } from '../../domain/override.ts';
import { bookAppointment } from '../../scheduling/visits/book.ts';
import { moveAppointment } from '../../scheduling/visits/move.ts';
import { moveSeries } from '../../scheduling/visits/move-series.ts';
import { cancelAppointment } from '../../scheduling/visits/cancel.ts';
import { cancelSeries } from '../../scheduling/visits/cancel-series.ts';
import {
  checkIn,
  completeAppointment,
  markNoShow,
  undoCheckIn,
  undoCompletion,
  undoNoShow,
} from '../../scheduling/visits/attend.ts';
import type { Caller } from '../authentication.ts';
import { assertOwnPatient, authorize, clinicFor, rowsOf } from '../authorization.ts';
import { actIn, callerOf, reachOf, readerOf, clinicOfProvider } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { entityTag, expectedVersion, requiredVersion } from '../entity-tag.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders, instantOf, Nothing, VersionHeaders } from '../schemas.ts';
import type { Reader } from '../read.ts';
import {
  AppointmentAnswer,
  appointmentBody,
  AppointmentPage,
  AppointmentPath,
  BookedAnswer,
  BookingBody,
  CancelQuery,
  ListQuery,
  MoveBody,
  Timeline,
  timelineBody,
} from './schemas.ts';

/** The doors behind these routes. */
export const appointmentDoors = {
  book: bookAppointment,
  move: moveAppointment,
  moveSeries,
  cancel: cancelAppointment,
  cancelSeries,
  checkIn,
  undoCheckIn,
  complete: completeAppointment,
  undoCompletion,
  markNoShow,
  undoNoShow,
};

export interface AppointmentRoutes {
  readonly doors: BoundDoors<typeof appointmentDoors>;
  readonly reads: Reads;
  readonly now: () => Date;
}

const BOOKING_ROUTE = 'POST /api/v1/appointments';

/** What goes beyond the specification's bodies. @throws RequestError `forbidden` for an override by anybody but an administrator */
function extrasOf(
  caller: Caller,
  { holdId, override }: { readonly holdId?: string; readonly override?: RuleOverride },
) {
  if (override !== undefined) authorize(caller, 'overrideRules');
  return { hold: holdId === undefined ? undefined : { holdId, heldBy: caller.subject }, override };
}

/** Booking, reading, moving, cancelling and attending. */
export const appointmentRoutes: FastifyPluginCallbackTypebox<AppointmentRoutes> = (
  app,
  { doors, reads, now },
  done,
) => {
  app.post(
    '/appointments',
    {
      config: {
        operation: 'bookAppointment',
        problems: ['not_found', ...BOOKING_REFUSALS, 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'bookAppointment',
        tags: ['appointments'],
        summary: 'Book an appointment',
        description:
          'Books one start that the availability search offers. Whoever asks first has it: everybody else is answered 409. A patient’s first booking registers them at the clinic.',
        headers: IdempotencyHeaders,
        body: BookingBody,
        response: {
          201: BookedAnswer,
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { patientId, providerId, durationMinutes } = request.body;
      const extras = extrasOf(caller, request.body);
      const appointmentTime = new Date(request.body.appointmentTime);
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, BOOKING_ROUTE, {
        ...request.body,
        appointmentTime: appointmentTime.toISOString(),
      });
      assertOwnPatient(caller, patientId);
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      const booked = await doors.book(actIn(request, clinicId, now()), {
        patientId,
        providerId,
        appointmentTime,
        durationMinutes,
        registersPatient: caller.role === 'patient',
        ...extras,
        idempotency,
      });
      return created(
        reply,
        { at: `/appointments/${booked.appointmentId}`, version: booked.version, replayed: booked.replayed },
        {
          appointmentId: booked.appointmentId,
          confirmationCode: booked.confirmationCode,
          status: booked.status,
        },
      );
    },
  );

  app.get(
    '/appointments',
    {
      config: { operation: 'listAppointments', problems: ['not_found'] },
      schema: {
        operationId: 'listAppointments',
        tags: ['appointments'],
        summary: 'List appointments',
        description: "A patient's own at every clinic; for staff their clinic's. Earliest start first.",
        querystring: ListQuery,
        response: { 200: AppointmentPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { status, clinicId, providerId, patientId, from, to, limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const whose = rowsOf(caller, clinicId === undefined ? undefined : clinicFor(caller, clinicId));
      const rows = await reads.appointments(whose, readerOf(request), {
        limit,
        clinicId,
        status,
        providerId,
        patientId,
        from: instantOf(from),
        to: instantOf(to),
        after,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.appointment_time, id: row.appointment_id }));
      return { appointments: page.map((row) => appointmentBody(row, caller.role !== 'patient')), ...next };
    },
  );

  app.get(
    '/appointments/:appointmentId',
    {
      config: { operation: 'readAppointment', problems: ['not_found'] },
      schema: {
        operationId: 'readAppointment',
        tags: ['appointments'],
        summary: 'Read an appointment',
        params: AppointmentPath,
        response: { 200: AppointmentAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const row = await visible(caller, request.params.appointmentId, readerOf(request));
      return reply.header('etag', entityTag(row.version)).send(appointmentBody(row, caller.role !== 'patient'));
    },
  );

  app.patch(
    '/appointments/:appointmentId',
    {
      config: {
        operation: 'moveAppointment',
        problems: [
          'not_found',
          'precondition_required',
          'version_mismatch',
          ...BOOKING_REFUSALS,
          'appointment_not_scheduled',
          'visit_begun',
          'already_checked_in',
          'move_too_late',
          'too_many_moves',
          'series_clash',
        ],
      },
      schema: {
        operationId: 'moveAppointment',
        tags: ['appointments'],
        summary: 'Move an appointment',
        description:
          'To another start, length or provider of the same clinic; what is left out stays. The appointment keeps its id and its confirmation code; its reminders are planned anew. With scope following the later visits of its series move by the same days and time of day, all of them or none: the refusal lists in clashes every start that cannot be had, and why.',
        params: AppointmentPath,
        headers: VersionHeaders,
        body: MoveBody,
        response: {
          200: AppointmentAnswer,
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { appointmentTime, durationMinutes, providerId, holdId, scope } = request.body;
      // A hold is one slot.
      if (scope === 'following' && holdId !== undefined) throw invalidField('body', '/holdId', 'scope');
      const extras = extrasOf(caller, request.body);
      const before = await visible(caller, request.params.appointmentId);
      const move = scope === 'following' && before.series_id !== null ? doors.moveSeries : doors.move;
      const after = await move(actIn(request, before.clinic_id, now()), {
        appointmentId: before.appointment_id,
        expectedVersion: requiredVersion(request.headers['if-match']),
        appointmentTime: instantOf(appointmentTime),
        durationMinutes,
        providerId,
        ...extras,
      });
      return reply.header('etag', entityTag(after.version)).send(appointmentBody(after, caller.role !== 'patient'));
    },
  );

  app.delete(
    '/appointments/:appointmentId',
    {
      config: {
        operation: 'cancelAppointment',
        problems: ['not_found', 'version_mismatch', 'appointment_not_scheduled', 'visit_begun'],
      },
      schema: {
        operationId: 'cancelAppointment',
        tags: ['appointments'],
        summary: 'Cancel an appointment',
        description:
          'Until the visit begins. The slot goes to the best waiting patient, if somebody waits. Cancelling what is cancelled is answered 204 again. With scope following the later visits of its series are cancelled with it.',
        params: AppointmentPath,
        querystring: CancelQuery,
        headers: VersionHeaders,
        response: {
          204: Nothing('Cancelled.'),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const before = await visible(caller, request.params.appointmentId);
      const version = before.status === 'CANCELLED' ? undefined : expectedVersion(request.headers['if-match']);
      const cancel =
        request.query.scope === 'following' && before.series_id !== null ? doors.cancelSeries : doors.cancel;
      await cancel(actIn(request, before.clinic_id, now()), {
        appointmentId: before.appointment_id,
        reason: request.query.reason ?? (caller.role === 'patient' ? 'patient_request' : 'other'),
        expectedVersion: version,
      });
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/appointments/:appointmentId/timeline',
    {
      config: { operation: 'readTimeline', problems: ['not_found'] },
      schema: {
        operationId: 'readTimeline',
        tags: ['appointments'],
        summary: 'What happened, what happens next and why',
        params: AppointmentPath,
        response: { 200: Timeline },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const row = await visible(caller, request.params.appointmentId);
      const history = await reads.history({ clinicId: row.clinic_id }, row.appointment_id, readerOf(request));
      return timelineBody(row, history, caller.role !== 'patient');
    },
  );

  const attendance = [
    {
      method: 'POST',
      path: 'check-in',
      act: doors.checkIn,
      operationId: 'checkInAppointment',
      summary: 'The patient has arrived; repeating it changes nothing',
      problems: ['appointment_not_scheduled', 'check_in_not_open', 'check_in_over'],
    },
    {
      method: 'DELETE',
      path: 'check-in',
      act: doors.undoCheckIn,
      operationId: 'undoCheckIn',
      summary: 'The arrival was a mistake',
      problems: ['appointment_not_scheduled', 'not_checked_in'],
    },
    {
      method: 'POST',
      path: 'complete',
      act: doors.complete,
      operationId: 'completeAppointment',
      summary: 'The visit took place, also one that was marked as a no-show; repeating it changes nothing',
      problems: ['appointment_not_scheduled', 'visit_not_begun', 'correction_too_late'],
    },
    {
      method: 'DELETE',
      path: 'complete',
      act: doors.undoCompletion,
      operationId: 'undoCompletion',
      summary: 'The completion was a mistake',
      problems: ['not_completed', 'correction_too_late', 'slot_taken', 'patient_busy'],
    },
    {
      method: 'POST',
      path: 'no-show',
      act: doors.markNoShow,
      operationId: 'markNoShow',
      summary: 'Nobody came, also to a visit that was completed; repeating it changes nothing',
      problems: ['appointment_not_scheduled', 'visit_not_begun', 'already_checked_in', 'correction_too_late'],
    },
    {
      method: 'DELETE',
      path: 'no-show',
      act: doors.undoNoShow,
      operationId: 'undoNoShow',
      summary: 'The no-show was a mistake',
      problems: ['not_marked_no_show', 'correction_too_late', 'slot_taken', 'patient_busy'],
    },
  ] as const satisfies readonly {
    method: 'POST' | 'DELETE';
    path: string;
    act: AppointmentRoutes['doors']['checkIn'];
    operationId: string;
    summary: string;
    problems: readonly ErrorCode[];
  }[];
  for (const { method, path, act, operationId, summary, problems } of attendance) {
    app.route({
      method,
      url: `/appointments/:appointmentId/${path}`,
      config: { operation: 'attendAppointment', problems: ['not_found', 'version_mismatch', ...problems] },
      schema: {
        operationId,
        tags: ['attendance'],
        summary,
        description: 'Providers attend to their own visits, administrators to all of their clinic.',
        params: AppointmentPath,
        headers: VersionHeaders,
        response: {
          200: AppointmentAnswer,
        },
      },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const reach = reachOf(request);
        const before = await visible(caller, request.params.appointmentId);
        if (reach === 'own' && before.provider_id !== caller.providerId) throw new AppError('forbidden');
        const version = expectedVersion(request.headers['if-match']);
        const after = await act(actIn(request, before.clinic_id, now()), {
          appointmentId: before.appointment_id,
          expectedVersion: version,
        });
        return reply.header('etag', entityTag(after.version)).send(appointmentBody(after, caller.role !== 'patient'));
      },
    });
  }

  done();

  /** The appointment if this caller may see it. @throws AppError `not_found` */
  async function visible(caller: Caller, appointmentId: string, reader?: Reader): Promise<AppointmentRow> {
    const roams = caller.role !== 'patient' && caller.clinicId === undefined;
    const rows = rowsOf(caller, roams ? clinicFor(caller, await reads.clinicOfAppointment(appointmentId)) : undefined);
    const row = await reads.appointment(rows, appointmentId, reader);
    if (row === undefined) throw new AppError('not_found');
    return row;
  }
};
