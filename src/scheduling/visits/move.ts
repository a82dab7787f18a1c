import { changeAppointment, policyOf, type AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import {
  expireReservations,
  freeAppointment,
  isDayFull,
  providerTimeOf,
  reserveAppointment,
} from '../../db/reservations.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import { OWN_NOTICE, passOnUntoldNotice, type NoticeColumns } from '../../db/series.ts';
import { upcomingLimits } from '../../db/upcoming-visits.ts';
import { decideTransition, moveLimits } from '../../domain/appointment.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import { type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { AppError } from '../../domain/errors.ts';
import type { RuleOverride } from '../../domain/override.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { stateOf } from './attend.ts';
import { freedSlotOf, openRound, remainderOf, type FreedSlot } from '../claims/open-round.ts';
import { useHold } from '../claims/hold.ts';
import { lockWithResources } from './lock.ts';
import { recordChange } from './record.ts';
import { createWaiver, type Waiver } from './waiver.ts';
import { withdrawOffersFor } from '../claims/withdraw-offers.ts';

export interface Move {
  readonly appointmentId: string;
  readonly expectedVersion: number;
  /** What is left out stays as it is. */
  readonly appointmentTime?: Date;
  readonly durationMinutes?: number;
  readonly providerId?: string;
  /** The new slot was held before by `heldBy`. */
  readonly hold?: { readonly holdId: string; readonly heldBy: string };
  /** Rules that staff set aside. */
  readonly override?: RuleOverride;
  /** The clinic has offered it: its limits on moving and on visits ahead do not count, and the move is none of the patient's. */
  readonly offered?: boolean;
}

/**
 * Moves a visit in time, length or provider: the old time is freed and the new one reserved, or nothing changes. The appointment keeps its identity and
 * comes under the clinic's present policy; its limits on moving are those that it was booked under. A move that changes nothing writes nothing.
 *
 * @throws AppError `not_found`, `version_mismatch`, `visit_begun`, `already_checked_in`, `appointment_not_scheduled`, `move_too_late`, `too_many_moves`,
 * a code of `SlotRefusal`, `patient_busy`, `too_many_upcoming_with_provider`, `hold_gone`, `hold_mismatch`
 */
export function moveAppointment(deps: SchedulingDeps, act: Act, move: Move): Promise<AppointmentRow> {
  return door(deps, act, (tx) => moveVisit(deps, tx, act, move));
}

/** As {@link moveAppointment}, in the caller's own transaction, which must be given up when it throws. */
export async function moveVisit(deps: SchedulingDeps, tx: Tx, act: Act, move: Move): Promise<AppointmentRow> {
  const before = await lockWithResources(tx, act.clinicId, move.appointmentId, move.providerId);
  if (before.version !== move.expectedVersion) throw new AppError('version_mismatch', { version: before.version });
  const promised = await policyOf(tx, act.clinicId, before.policy_version);
  const decision = decideTransition(stateOf(before), { kind: 'move' }, act.now.getTime(), promised);
  if (decision.decision === 'refuse') throw new AppError(decision.code);

  const from = (move.appointmentTime ?? before.appointment_time).getTime();
  const durationMinutes = move.durationMinutes ?? before.duration_minutes;
  const providerId = move.providerId ?? before.provider_id;
  const isSameProvider = providerId === before.provider_id;
  const slot = { providerId, from, durationMinutes };
  if (from === before.appointment_time.getTime() && durationMinutes === before.duration_minutes && isSameProvider) {
    // Nobody can hold what the visit has: a hold that is named here is refused, as for any other slot that it is not for.
    if (move.hold !== undefined) await useHold(tx, move.hold, slot, before.appointment_id);
    return before;
  }

  const waiver = createWaiver(move.override);
  const appointment = { appointmentTime: before.appointment_time.getTime(), moves: before.moves };
  const offered = move.offered === true;
  if (!offered) for (const limit of moveLimits(appointment, act.now.getTime(), promised)) waiver.refuse(limit);
  const schedule = await loadProviderSchedule(tx, providerId);
  if (schedule === undefined) throw new AppError('not_found');
  const held = move.hold && (await useHold(tx, move.hold, slot, before.appointment_id));
  if (from <= act.now.getTime()) throw new AppError('in_the_past');
  // As in booking: what was offered when the slot was held is still to be had.
  const judgedAt = (held?.judged_at ?? act.now).getTime();
  const verdict = judgeSlot({ schedule, from, durationMinutes, now: judgedAt, waived: waiver.waived });
  if (!verdict.ok) throw new AppError(verdict.code);
  waiver.note(verdict.overridden);
  if (!isSameProvider && !offered) {
    // One visit goes and one comes: only the number with the new provider grows.
    const limits = await upcomingLimits(tx, before.patient_id, providerId, schedule.policy);
    if (limits.includes('too_many_upcoming_with_provider')) waiver.refuse('too_many_upcoming_with_provider');
  }

  // What a sick day holds for this very visit is in nobody's way.
  await withdrawOffersFor(tx, act, before.appointment_id);
  const old = await providerTimeOf(tx, before.appointment_id, before.provider_id);
  await freeAppointment(tx, before.appointment_id);
  await expireReservations(tx, providerId, verdict.during);
  // A hold had its place in the day: taking it adds nothing. As in booking, who has the time is told before the day's limit.
  const dayIsFull = held === undefined && (await isDayFull(tx, providerId, verdict.day, schedule.maxDailyAppointments));
  await reserveAppointment(tx, {
    clinicId: act.clinicId,
    appointmentId: before.appointment_id,
    providerId,
    patientId: before.patient_id,
    during: verdict.during,
    visit: { from, to: from + durationMinutes * 60_000 },
  });
  if (dayIsFull) waiver.refuse('day_full');
  const left = old && freedSlotOf(before, old);
  const freed = left && isSameProvider ? remainderOf(left, schedule, verdict.during) : left;
  await passOnUntoldNotice(tx, before);
  return recordMove(deps, tx, act, before, {
    from,
    durationMinutes,
    schedule,
    waiver,
    notice: OWN_NOTICE,
    ...(held === undefined ? {} : { holdId: held.hold_id }),
    ...(freed === undefined ? {} : { freed }),
    offered,
  });
}

/** Where a visit has come to. */
export interface Moved {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly durationMinutes: number;
  /** Of the provider it is now with. */
  readonly schedule: ProviderSchedule;
  readonly waiver: Waiver;
  readonly notice: NoticeColumns;
  readonly holdId?: string;
  /** What is left of its old time. */
  readonly freed?: FreedSlot;
  /** As in {@link Move}. */
  readonly offered?: boolean;
}

/** Writes a move whose new time is reserved and whose old time is free: the row, the round for the old time, the outbox and the audit. */
export async function recordMove(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  before: AppointmentRow,
  moved: Moved,
): Promise<AppointmentRow> {
  const { from, durationMinutes, schedule, waiver, notice, holdId, freed } = moved;
  const { providerId } = schedule;
  const after = await changeAppointment(tx, before.appointment_id, {
    appointment_time: new Date(from),
    duration_minutes: durationMinutes,
    provider_id: providerId,
    policy_version: schedule.policyVersion,
    moves: before.moves + (moved.offered === true ? 0 : 1),
    ...waiver.columns(),
    ...notice,
    time_set_at: act.now,
    time_set_version: before.version + 1,
  });
  const roundId = freed && (await openRound(deps, tx, act, freed));
  await recordChange(tx, act, {
    appointmentId: after.appointment_id,
    version: after.version,
    event: 'rescheduled',
    detail: {
      from: {
        appointmentTime: before.appointment_time,
        durationMinutes: before.duration_minutes,
        providerId: before.provider_id,
      },
      to: { appointmentTime: after.appointment_time, durationMinutes, providerId },
      ...(holdId === undefined ? {} : { holdId }),
      ...waiver.detail(),
      ...(roundId === undefined ? {} : { roundId }),
    },
  });
  return after;
}
