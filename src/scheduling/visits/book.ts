import { inContext, queryNamed } from '../../db/connection.ts';
import { findHold } from '../../db/holds.ts';
import { answerUnderKey, type AnswerUnderKey, type Idempotency } from '../../db/idempotency.ts';
import type { PlaceAnswer } from '../../db/places.ts';
import { AppError } from '../../domain/errors.ts';
import type { RuleOverride } from '../../domain/override.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { drawAgain, drawConfirmationCode } from './confirmation-code.ts';
import { placeBy, type Asking } from './place.ts';

export interface Booking {
  readonly patientId: string;
  readonly providerId: string;
  readonly appointmentTime: Date;
  readonly durationMinutes: number;
  /** The slot was held before by `heldBy`. */
  readonly hold?: { readonly holdId: string; readonly heldBy: string } | undefined;
  /** Rules that staff set aside. */
  readonly override?: RuleOverride | undefined;
  /** A patient's own first booking registers them at the clinic; staff may only name a patient who is registered. */
  readonly registersPatient: boolean;
  /** One key of one caller on one route is one booking. */
  readonly idempotency?: Idempotency | undefined;
}

export interface Booked {
  readonly appointmentId: string;
  readonly confirmationCode: string;
  readonly status: 'SCHEDULED';
  readonly version: number;
  /** The answer of an earlier request under the same idempotency key. */
  readonly replayed: boolean;
}

const BOOK = { name: 'book_appointment', text: 'select book_appointment($1::jsonb) as answer' };

/**
 * Books a visit. The rules are judged here on the schedule as last read; one statement then compares its versions under the lock and writes
 * everything, or nothing (ADR 0004).
 *
 * A held slot is booked by the notice and the horizon of the moment at which it was held: what was offered then is still bookable while the hold lives.
 *
 * @throws AppError `not_found`, a code of `SlotRefusal`, `patient_busy`, `too_many_upcoming`, `too_many_upcoming_with_provider`, `hold_gone`,
 * `hold_mismatch`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function bookAppointment(deps: SchedulingDeps, act: Act, booking: Booking): Promise<Booked> {
  return drawAgain(async () => {
    const { patientId, providerId, appointmentTime, durationMinutes, hold, override, registersPatient } = booking;
    const response = {
      appointmentId: deps.newId(),
      confirmationCode: drawConfirmationCode(deps),
      status: 'SCHEDULED',
      version: 1,
    } as const;
    const asked = askOnce(deps, act, booking, response);
    const wanted = {
      providerId,
      patientId,
      from: appointmentTime.getTime(),
      durationMinutes,
      limits: 'all',
      writes: () => ({
        appointmentId: response.appointmentId,
        confirmationCode: response.confirmationCode,
        bookedVia: 'api' as const,
        timeSetAt: act.now,
        registers: registersPatient || undefined,
        mustBeRegistered: !registersPatient || undefined,
      }),
    } as const;
    try {
      await placeBy(asked, deps, act, [wanted], { claim: hold, override });
    } catch (error) {
      if (error instanceof AppError && asked.answer() === undefined) await asked.lookUp();
      if (asked.answer() === undefined) throw error;
    }
    return { ...(asked.answer() ?? response), replayed: asked.answer() !== undefined };
  });
}

/** Asks in one round trip, under the booking's key if it has one. */
function askOnce(
  { connection, schedules }: SchedulingDeps,
  act: Act,
  { idempotency }: Booking,
  response: Omit<Booked, 'replayed'>,
): Asking & { readonly lookUp: () => Promise<void>; readonly answer: () => Omit<Booked, 'replayed'> | undefined } {
  let known: Omit<Booked, 'replayed'> | undefined;
  let isKeyAsked = idempotency === undefined;
  return {
    schedules: (providerIds, asTheyAre) =>
      Promise.all(providerIds.map((id) => schedules[asTheyAre ? 'reload' : 'get'](act.clinicId, id))).then((found) =>
        found.filter((each) => each !== undefined),
      ),
    heldSince: async (holdId) => (await door({ connection }, act, (tx) => findHold(tx, holdId)))?.judged_at,
    place: async (request) => {
      isKeyAsked = true;
      const rows = await queryNamed<{ answer: PlaceAnswer | AnswerUnderKey }>(connection.pool, BOOK, [
        JSON.stringify({ ...request, idempotency, response }),
      ]);
      const answer = rows[0]?.answer ?? ({ outcome: 'not_found' } as const);
      if (answer.outcome === 'replayed') {
        known = answer.response as Omit<Booked, 'replayed'>;
        return { outcome: 'placed', freed: [], places: [] };
      }
      if (answer.outcome === 'placed' || answer.outcome === 'stale' || answer.outcome === 'not_found') return answer;
      throw new AppError(answer.outcome);
    },
    /** A repeated request is answered as the first was, even when the rules would refuse it by now. */
    lookUp: async () => {
      if (idempotency === undefined || isKeyAsked) return;
      const found = await inContext(connection.db, { caller: idempotency.caller }, (tx) =>
        answerUnderKey(tx, idempotency),
      );
      known = found?.response as Omit<Booked, 'replayed'> | undefined;
    },
    answer: () => known,
  };
}
