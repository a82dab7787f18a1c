import { changeAppointment, policyOf, type AppointmentRow } from '../db/appointments.ts';
import { recordAudit } from '../db/audit.ts';
import { inContext } from '../db/connection.ts';
import { enqueue } from '../db/outbox.ts';
import {
  assertDayNotFull,
  expireReservations,
  freeAppointment,
  providerTimeOf,
  reserveAppointment,
} from '../db/reservations.ts';
import { loadProviderSchedule } from '../db/schedules.ts';
import { decideTransition } from '../domain/appointment.ts';
import { judgeSlot } from '../domain/availability.ts';
import { AppError } from '../domain/errors.ts';
import { overlaps } from '../domain/interval.ts';
import type { Act, SchedulingDeps } from './act.ts';
import { stateOf } from './attend.ts';
import { openRound } from './freed-slot.ts';
import { lockWithResources } from './locked-appointment.ts';

export interface Move {
  readonly appointmentId: string;
  readonly expectedVersion: number;
  /** What is left out stays as it is. */
  readonly appointmentTime?: Date;
  readonly durationMinutes?: number;
  readonly providerId?: string;
}

/**
 * Moves a visit in time, length or provider: the old time is freed and the new one reserved, or nothing changes. The appointment keeps its identity and
 * comes under the clinic's present policy. A move that changes nothing writes nothing.
 *
 * @throws AppError `not_found`, `version_mismatch`, `visit_begun`, `already_checked_in`, `appointment_not_scheduled`, a code of `SlotRefusal`, `patient_busy`
 */
export function moveAppointment(deps: SchedulingDeps, act: Act, move: Move): Promise<AppointmentRow> {
  return inContext(deps.connection.db, { clinicId: act.clinicId }, async (tx) => {
    const before = await lockWithResources(tx, act.clinicId, move.appointmentId, move.providerId);
    if (before.version !== move.expectedVersion) throw new AppError('version_mismatch', { version: before.version });
    const promised = await policyOf(tx, act.clinicId, before.policy_version);
    const decision = decideTransition(stateOf(before), { kind: 'move' }, act.now.getTime(), promised);
    if (decision.decision === 'refuse') throw new AppError(decision.code);

    const from = (move.appointmentTime ?? before.appointment_time).getTime();
    const durationMinutes = move.durationMinutes ?? before.duration_minutes;
    const providerId = move.providerId ?? before.provider_id;
    if (
      from === before.appointment_time.getTime() &&
      durationMinutes === before.duration_minutes &&
      providerId === before.provider_id
    ) {
      return before;
    }

    const schedule = await loadProviderSchedule(tx, providerId);
    if (schedule === undefined) throw new AppError('not_found');
    const verdict = judgeSlot({ schedule, from, durationMinutes, now: act.now.getTime() });
    if (!verdict.ok) throw new AppError(verdict.code);

    const old = await providerTimeOf(tx, before.appointment_id, before.provider_id);
    await freeAppointment(tx, before.appointment_id);
    await expireReservations(tx, providerId, verdict.during);
    await assertDayNotFull(tx, providerId, verdict.day, schedule.maxDailyAppointments);
    await reserveAppointment(tx, {
      clinicId: act.clinicId,
      appointmentId: before.appointment_id,
      providerId,
      patientId: before.patient_id,
      during: verdict.during,
      visit: { from, to: from + durationMinutes * 60_000 },
    });
    const after = await changeAppointment(tx, before.appointment_id, {
      appointment_time: new Date(from),
      duration_minutes: durationMinutes,
      provider_id: providerId,
      policy_version: schedule.policyVersion,
      time_set_at: act.now,
      time_set_version: before.version + 1,
    });
    const leavesOldSlot = old !== undefined && (providerId !== before.provider_id || !overlaps(old, verdict.during));
    const roundId = leavesOldSlot
      ? await openRound(deps, tx, act, {
          appointmentId: before.appointment_id,
          providerId: before.provider_id,
          patientId: before.patient_id,
          visitFrom: before.appointment_time.getTime(),
          durationMinutes: before.duration_minutes,
          during: old,
        })
      : undefined;
    await enqueue(tx, {
      clinicId: act.clinicId,
      aggregate: 'appointment',
      aggregateId: after.appointment_id,
      event: 'rescheduled',
      version: after.version,
      requestId: act.requestId,
    });
    await recordAudit(tx, {
      clinicId: act.clinicId,
      entity: 'appointment',
      entityId: after.appointment_id,
      action: 'rescheduled',
      actor: act.actor,
      requestId: act.requestId,
      detail: {
        version: after.version,
        from: {
          appointmentTime: before.appointment_time,
          durationMinutes: before.duration_minutes,
          providerId: before.provider_id,
        },
        to: { appointmentTime: after.appointment_time, durationMinutes, providerId },
        ...(roundId === undefined ? {} : { roundId }),
      },
    });
    return after;
  });
}
