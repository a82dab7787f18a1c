import type pg from 'pg';
import { inContext, queryNamed } from '../../db/connection.ts';
import { violates } from '../../db/constraint-errors.ts';
import { findHold } from '../../db/holds.ts';
import { judgeSlot, type SlotVerdict } from '../../domain/availability/judge.ts';
import { type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { confirmationCode, CONFIRMATION_CODE_BYTES } from '../../domain/confirmation-code.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { RuleOverride } from '../../domain/override.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';

export interface Booking {
  readonly patientId: string;
  readonly providerId: string;
  readonly appointmentTime: Date;
  readonly durationMinutes: number;
  /** The slot was held before by `heldBy`. */
  readonly hold?: { readonly holdId: string; readonly heldBy: string };
  /** Rules that staff set aside. */
  readonly override?: RuleOverride;
  /** A patient's own first booking registers them at the clinic; staff may only name a patient who is registered. */
  readonly registersPatient: boolean;
  /** One key of one caller on one route is one booking. `fingerprint` tells whether the body is the same. */
  readonly idempotency?: {
    readonly caller: string;
    readonly route: string;
    readonly key: string;
    readonly fingerprint: string;
  };
}

export interface Booked {
  readonly appointmentId: string;
  readonly confirmationCode: string;
  readonly status: 'SCHEDULED';
  readonly version: number;
  /** The answer of an earlier request under the same idempotency key. */
  readonly replayed: boolean;
}

const BOOK = { name: 'book_appointment', text: 'select book_appointment($1::jsonb) as result' };
const TRIES = 5;

/**
 * Books a visit. The rules are judged here on the schedule as last read; one statement then compares its versions under the lock and writes
 * everything, or nothing (ADR 0004).
 *
 * A held slot is booked by the notice and the horizon of the moment at which it was held: what was offered then is still bookable while the hold lives.
 *
 * @throws AppError `not_found`, a code of `SlotRefusal`, `slot_taken`, `patient_busy`, `day_full`, `too_many_upcoming`, `too_many_upcoming_with_provider`,
 * `hold_gone`, `hold_mismatch`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export async function bookAppointment(deps: SchedulingDeps, act: Act, booking: Booking): Promise<Booked> {
  const judgedAt = await momentOfRules(deps, act, booking);
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const { schedule, verdict } = await judge(deps, act, booking, judgedAt, tries > 1);
    if (!verdict.ok) return await replayOf(deps, booking, verdict.code);
    const attempt = await tryBook(deps, act, booking, schedule, verdict);
    if (attempt !== 'again') return attempt;
  }
  throw new AppError('temporarily_unavailable', { reason: 'schedule_changing' });
}

/** When the notice and the horizon are counted from; whether the start is past is left to the statement. Epoch milliseconds. */
async function momentOfRules(deps: SchedulingDeps, act: Act, { hold }: Booking): Promise<number> {
  if (hold === undefined) return act.now.getTime();
  const held = await door(deps, act, (tx) => findHold(tx, hold.holdId));
  return (held?.judged_at ?? act.now).getTime();
}

/** A refusal by rules that may be out of date is asked again with the rules as they are. */
async function judge(deps: SchedulingDeps, act: Act, booking: Booking, judgedAt: number, fresh: boolean) {
  for (let reload = fresh; ; reload = true) {
    const schedule = await deps.schedules[reload ? 'reload' : 'get'](act.clinicId, booking.providerId);
    if (schedule === undefined) throw new AppError('not_found');
    const verdict = judgeSlot({
      schedule,
      from: booking.appointmentTime.getTime(),
      durationMinutes: booking.durationMinutes,
      now: judgedAt,
      waived: new Set(booking.override?.rules),
    });
    if (verdict.ok || reload) return { schedule, verdict };
  }
}

async function tryBook(
  deps: SchedulingDeps,
  act: Act,
  booking: Booking,
  schedule: ProviderSchedule,
  verdict: Extract<SlotVerdict, { ok: true }>,
): Promise<Booked | 'again'> {
  const from = booking.appointmentTime.getTime();
  const response = {
    appointmentId: deps.newId(),
    confirmationCode: confirmationCode(deps.randomBytes(CONFIRMATION_CODE_BYTES)),
    status: 'SCHEDULED',
    version: 1,
  } as const;
  const request = {
    clinicId: act.clinicId,
    providerId: booking.providerId,
    patientId: booking.patientId,
    appointmentId: response.appointmentId,
    providerReservationId: deps.newId(),
    patientReservationId: deps.newId(),
    confirmationCode: response.confirmationCode,
    durationMinutes: booking.durationMinutes,
    visitFrom: new Date(from).toISOString(),
    visitTo: new Date(from + booking.durationMinutes * 60_000).toISOString(),
    busyFrom: new Date(verdict.during.from).toISOString(),
    busyTo: new Date(verdict.during.to).toISOString(),
    dayFrom: new Date(verdict.day.from).toISOString(),
    dayTo: new Date(verdict.day.to).toISOString(),
    scheduleVersion: schedule.scheduleVersion,
    policyVersion: schedule.policyVersion,
    registersPatient: booking.registersPatient,
    ...(booking.hold ?? {}),
    ...(booking.override === undefined
      ? {}
      : { waived: booking.override.rules, overridden: verdict.overridden, overrideReason: booking.override.reason }),
    actorKind: act.actor.kind,
    actorId: act.actor.id,
    requestId: act.requestId,
    response,
    ...(booking.idempotency === undefined
      ? {}
      : {
          caller: booking.idempotency.caller,
          route: booking.idempotency.route,
          idempotencyKey: booking.idempotency.key,
          fingerprint: booking.idempotency.fingerprint,
        }),
  };
  const result = await call(deps.connection.pool, request);
  switch (result.outcome) {
    case 'booked':
      return { ...response, replayed: false };
    case 'replayed':
      return { ...(result.response as Omit<Booked, 'replayed'>), replayed: true };
    case 'stale':
    case 'confirmation_code_taken':
      return 'again';
    default:
      throw new AppError(result.outcome);
  }
}

interface BookingResult extends pg.QueryResultRow {
  readonly outcome: ErrorCode | 'booked' | 'replayed' | 'stale' | 'confirmation_code_taken';
  readonly response?: unknown;
}

async function call(pool: pg.Pool, request: object): Promise<BookingResult> {
  try {
    const rows = await queryNamed<{ result: BookingResult }>(pool, BOOK, [JSON.stringify(request)]);
    const [row] = rows;
    if (row === undefined) throw new AppError('internal_error');
    return row.result;
  } catch (error) {
    if (violates(error, 'appointment_confirmation_code_unique')) return { outcome: 'confirmation_code_taken' };
    throw error;
  }
}

/** A repeated request is answered as the first was, even when the rules would refuse it by now. */
async function replayOf(deps: SchedulingDeps, booking: Booking, refusal: ErrorCode): Promise<Booked> {
  const known = booking.idempotency;
  if (known === undefined) throw new AppError(refusal);
  const row = await inContext(deps.connection.db, { caller: known.caller }, (tx) =>
    tx
      .selectFrom('idempotency_key')
      .select(['fingerprint', 'response'])
      .where('caller', '=', known.caller)
      .where('route', '=', known.route)
      .where('key', '=', known.key)
      .executeTakeFirst(),
  );
  if (row === undefined) throw new AppError(refusal);
  if (row.fingerprint !== known.fingerprint) throw new AppError('idempotency_mismatch');
  return { ...(row.response as unknown as Omit<Booked, 'replayed'>), replayed: true };
}
