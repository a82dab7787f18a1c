import { sql } from 'kysely';
import { insertAppointments } from '../../db/appointments.ts';
import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { violates } from '../../db/constraint-errors.ts';
import { lockForBooking } from '../../db/locks.ts';
import { assertDayNotFull, expireReservations, freeRound, reserveAppointment } from '../../db/reservations.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import { upcomingLimits } from '../../db/upcoming-visits.ts';
import {
  closeRound,
  findRound,
  lockRound,
  lockWaitingEntry,
  recordOffer,
  waitingEntries,
  type WaitlistRoundRow,
} from '../../db/waitlist.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import { confirmationCode, CONFIRMATION_CODE_BYTES } from '../../domain/confirmation-code.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import { rankCandidates, type WaitlistCandidate } from '../../domain/waitlist-ranking.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { candidateOf, tooLateToRefill } from '../claims/open-round.ts';
import { recordBooking } from '../visits/record.ts';

export type RoundOutcome =
  | { readonly outcome: 'filled'; readonly appointmentId: string; readonly entryId: string }
  | { readonly outcome: 'released'; readonly reason: string }
  /** It was closed before. */
  | { readonly outcome: 'closed' };

/** What keeps this candidate from the slot, but perhaps not the next one: where the provider's day ends, a shorter visit may still fit. */
const PASSES: ReadonlySet<ErrorCode> = new Set([
  'outside_hours',
  'provider_closed',
  'provider_away',
  'patient_busy',
  'slot_taken',
  'too_many_upcoming',
  'too_many_upcoming_with_provider',
]);

/**
 * Books the best waiting patient who fits into a freed slot, or gives the slot back to the public. A candidate who turns out busy is passed over and the
 * next one is tried. Harmless to repeat and to run twice at once: the round's row is locked and must still be open.
 *
 * @throws AppError `not_found`
 */
export async function fillRound(
  deps: SchedulingDeps,
  act: Act,
  { roundId }: { readonly roundId: string },
): Promise<RoundOutcome> {
  const candidates = await candidatesFor(deps, act, roundId);
  for (const candidate of candidates) {
    const result = await tryCandidate(deps, act, roundId, candidate);
    if (result !== 'passed') return result;
  }
  return release(deps, act, roundId, 'nobody_fits');
}

async function candidatesFor(deps: SchedulingDeps, act: Act, roundId: string): Promise<WaitlistCandidate[]> {
  return door(deps, act, async (tx) => {
    const round = await findRound(tx, roundId);
    if (round === undefined) throw new AppError('not_found');
    if (round.state !== 'OPEN') return [];
    const provider = await tx
      .selectFrom('provider')
      .innerJoin('clinic', 'clinic.clinic_id', 'provider.clinic_id')
      .innerJoin('appointment', (join) => join.on('appointment.appointment_id', '=', round.freed_appointment_id))
      .select(['provider.specialty', 'clinic.time_zone', 'clinic.policy', 'appointment.patient_id'])
      .where('provider.provider_id', '=', round.provider_id)
      .executeTakeFirstOrThrow();
    const from = round.slot_start.getTime();
    if (tooLateToRefill(from, act.now.getTime(), provider.policy.waitlist)) return [];
    return rankCandidates(
      {
        providerId: round.provider_id,
        specialty: provider.specialty,
        timeZone: provider.time_zone,
        from,
        to: from + round.duration_minutes * 60_000,
        freedByPatientId: provider.patient_id,
      },
      (await waitingEntries(tx, round.provider_id, provider.specialty)).map(candidateOf),
      act.now.getTime(),
    );
  });
}

async function tryCandidate(
  deps: SchedulingDeps,
  act: Act,
  roundId: string,
  candidate: WaitlistCandidate,
): Promise<RoundOutcome | 'passed'> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await door(deps, act, (tx) => bookCandidate(deps, tx, act, roundId, candidate));
    } catch (error) {
      if (violates(error, 'appointment_confirmation_code_unique') && tries < 5) continue;
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'day_full') return release(deps, act, roundId, error.code);
      // The provider's time can be taken too: buffers that have grown since the slot was freed reach into a neighbour.
      if (PASSES.has(error.code)) {
        const reason = error.code;
        await door(deps, act, (tx) => pass(deps, tx, act, roundId, candidate, reason));
        return 'passed';
      }
      throw error;
    }
  }
}

async function bookCandidate(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  roundId: string,
  candidate: WaitlistCandidate,
): Promise<RoundOutcome | 'passed'> {
  const seen = await findRound(tx, roundId);
  if (seen === undefined) throw new AppError('not_found');
  await lockForBooking(tx, {
    clinicId: act.clinicId,
    providerIds: [seen.provider_id],
    patientIds: [candidate.patientId],
  });
  const round = await lockRound(tx, roundId);
  if (round?.state !== 'OPEN') return { outcome: 'closed' };
  const entry = await lockWaitingEntry(tx, candidate.entryId);
  if (entry === undefined) {
    await pass(deps, tx, act, roundId, candidate, 'no_longer_waiting');
    return 'passed';
  }
  const schedule = await loadProviderSchedule(tx, round.provider_id);
  if (schedule === undefined) throw new AppError('not_found');
  const from = round.slot_start.getTime();
  const verdict = judgeSlot({ schedule, from, durationMinutes: entry.duration_minutes, now: act.now.getTime() });
  if (!verdict.ok) {
    if (PASSES.has(verdict.code)) throw new AppError(verdict.code);
    return closeAsReleased(tx, act, round, verdict.code);
  }
  if (!(await freeRound(tx, roundId))) return closeAsReleased(tx, act, round, 'expired');
  // Buffers that have grown reach into the neighbours' time: what has expired there is in nobody's way.
  await expireReservations(tx, round.provider_id, verdict.during);
  await assertDayNotFull(tx, round.provider_id, verdict.day, schedule.maxDailyAppointments);
  const [limit] = await upcomingLimits(tx, entry.patient_id, round.provider_id, schedule.policy);
  if (limit !== undefined) throw new AppError(limit);

  const appointmentId = deps.newId();
  await insertAppointments(tx, [
    {
      appointment_id: appointmentId,
      patient_id: entry.patient_id,
      provider_id: round.provider_id,
      clinic_id: act.clinicId,
      appointment_time: round.slot_start,
      duration_minutes: entry.duration_minutes,
      confirmation_code: confirmationCode(deps.randomBytes(CONFIRMATION_CODE_BYTES)),
      booked_via: 'waitlist',
      time_set_at: act.now,
      policy_version: schedule.policyVersion,
    },
  ]);
  await reserveAppointment(tx, {
    clinicId: act.clinicId,
    appointmentId,
    providerId: round.provider_id,
    patientId: entry.patient_id,
    during: verdict.during,
    visit: { from, to: from + entry.duration_minutes * 60_000 },
  });
  await tx
    .updateTable('waitlist_entry')
    .set({ status: 'BOOKED', booked_appointment_id: appointmentId, updated_at: sql`now()` })
    .where('entry_id', '=', entry.entry_id)
    .execute();
  await recordOffer(tx, {
    offerId: deps.newId(),
    clinicId: act.clinicId,
    roundId,
    entryId: entry.entry_id,
    state: 'BOOKED',
    reason: null,
  });
  await closeRound(tx, roundId, { state: 'FILLED', appointmentId });
  await recordBooking(tx, act, {
    appointmentId,
    detail: {
      providerId: round.provider_id,
      appointmentTime: round.slot_start,
      roundId,
      entryId: entry.entry_id,
    },
  });
  await audit(tx, act, 'waitlist_round', roundId, 'filled', { appointmentId });
  return { outcome: 'filled', appointmentId, entryId: entry.entry_id };
}

function pass(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  roundId: string,
  candidate: WaitlistCandidate,
  reason: string,
): Promise<void> {
  return recordOffer(tx, {
    offerId: deps.newId(),
    clinicId: act.clinicId,
    roundId,
    entryId: candidate.entryId,
    state: 'PASSED',
    reason,
  });
}

function release(deps: SchedulingDeps, act: Act, roundId: string, reason: string): Promise<RoundOutcome> {
  return door(deps, act, async (tx) => {
    const seen = await findRound(tx, roundId);
    if (seen === undefined) throw new AppError('not_found');
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [seen.provider_id], patientIds: [] });
    const round = await lockRound(tx, roundId);
    if (round?.state !== 'OPEN') return { outcome: 'closed' };
    return closeAsReleased(tx, act, round, reason);
  });
}

async function closeAsReleased(tx: Tx, act: Act, round: WaitlistRoundRow, reason: string): Promise<RoundOutcome> {
  await freeRound(tx, round.round_id);
  await closeRound(tx, round.round_id, { state: 'RELEASED', reason });
  await audit(tx, act, 'waitlist_round', round.round_id, 'released', { reason });
  return { outcome: 'released', reason };
}
