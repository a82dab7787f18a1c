import type { AppointmentRow, LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { decideTransition, moveLimits } from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import type { OverridableRule, RuleOverride } from '../../domain/override.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { freedSlotOf, openRound, remainderOf, type FreedSlot } from '../claims/open-round.ts';
import { withdrawOffersFor } from '../claims/withdraw-offers.ts';
import { stateOf } from './attend.ts';
import { lockWithResources } from './lock.ts';
import { place, type Placed, type WantedPlace } from './place.ts';
import { changeVisit } from './record.ts';
import { OWN_NOTICE, passOnUntoldNotice, type NoticeColumns } from './series-notice.ts';

export interface Move {
  readonly appointmentId: string;
  readonly expectedVersion: number;
  /** What is left out stays as it is. */
  readonly appointmentTime?: Date | undefined;
  readonly durationMinutes?: number | undefined;
  readonly providerId?: string | undefined;
  /** The new slot was held before by `heldBy`. */
  readonly hold?: { readonly holdId: string; readonly heldBy: string } | undefined;
  /** Rules that staff set aside. */
  readonly override?: RuleOverride | undefined;
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
  const visit = await lockWithResources(tx, act.clinicId, move.appointmentId, move.providerId);
  const { row: before, promised } = visit;
  const { appointment_id: appointmentId, patient_id: patientId, version } = before;
  if (version !== move.expectedVersion) throw new AppError('version_mismatch', { version });
  const decision = decideTransition(stateOf(before), { kind: 'move' }, act.now.getTime(), promised);
  if (decision.decision === 'refuse') throw new AppError(decision.code);

  const from = (move.appointmentTime ?? before.appointment_time).getTime();
  const durationMinutes = move.durationMinutes ?? before.duration_minutes;
  const providerId = move.providerId ?? before.provider_id;
  // Nobody can hold what the visit has: a hold that is named here is refused, as for any other slot that it is not for.
  if (move.hold === undefined && isWhereItIs(before, { from, durationMinutes, providerId })) return before;

  const offered = move.offered === true;
  // What a sick day holds for this very visit is in nobody's way.
  if (visit.claimed) await withdrawOffersFor(tx, act, appointmentId);
  const wanted = {
    providerId,
    patientId,
    from,
    durationMinutes,
    refusals: offered ? [] : limitsOnMoving(act, visit),
    // One visit goes and one comes: only the number with the new provider grows.
    limits: offered || providerId === before.provider_id ? undefined : 'with_provider',
    writes: () => ({ appointmentId }),
  } as const;
  const { placed, freed } = await place(deps, tx, act, [wanted], {
    claim: move.hold,
    override: move.override,
    free: [appointmentId],
  });
  const [to] = placed;
  if (to === undefined) throw new AppError('internal_error');
  const left = freedSlotOf(visit, freed);
  await passOnUntoldNotice(tx, before);
  return recordMove(deps, tx, act, visit, to, {
    notice: OWN_NOTICE,
    holdId: move.hold?.holdId,
    freed: left && providerId === before.provider_id ? remainderOf(left, to.schedule, to.during) : left,
    offered,
  });
}

/** Is the visit there already? */
export function isWhereItIs(
  row: AppointmentRow,
  to: { readonly from: number; readonly durationMinutes: number; readonly providerId: string },
): boolean {
  return (
    to.from === row.appointment_time.getTime() &&
    to.durationMinutes === row.duration_minutes &&
    to.providerId === row.provider_id
  );
}

/** What the policy that the visit was booked under has against moving it; staff may set it aside. */
export function limitsOnMoving(act: Act, { row, promised }: LockedVisit): OverridableRule[] {
  const appointment = { appointmentTime: row.appointment_time.getTime(), moves: row.moves };
  return moveLimits(appointment, act.now.getTime(), promised);
}

/** How a move is written down, apart from where to. */
interface MoveNote {
  readonly notice: NoticeColumns;
  readonly holdId?: string | undefined;
  /** What is left of its old time. */
  readonly freed?: FreedSlot | undefined;
  /** As in {@link Move}. */
  readonly offered?: boolean;
}

/** Writes a move whose new time is reserved and whose old time is free: the row, the round for the old time, the outbox and the audit. */
export async function recordMove(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  visit: LockedVisit,
  { from, durationMinutes, providerId, schedule, waiver }: WantedPlace & Placed,
  { notice, holdId, freed, offered }: MoveNote,
): Promise<AppointmentRow> {
  const { row: before } = visit;
  const roundId = freed && (await openRound(deps, tx, act, freed));
  const columns = {
    appointment_time: new Date(from),
    duration_minutes: durationMinutes,
    provider_id: providerId,
    policy_version: schedule.policyVersion,
    moves: before.moves + (offered === true ? 0 : 1),
    ...waiver.columns(),
    ...notice,
    time_set_at: act.now,
    time_set_version: before.version + 1,
  };
  return changeVisit(tx, act, visit, columns, 'rescheduled', {
    from: {
      appointmentTime: before.appointment_time,
      durationMinutes: before.duration_minutes,
      providerId: before.provider_id,
    },
    to: { appointmentTime: columns.appointment_time, durationMinutes, providerId },
    holdId,
    ...waiver.detail(),
    roundId,
  });
}
