import type { Tx } from '../../db/connection.ts';
import {
  closeRoundAsFilled,
  closeRoundAsReleased,
  findRoundToFill,
  lockRound,
  recordPassed,
} from '../../db/waitlist.ts';
import { visitAt } from '../../domain/clock.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import { rankCandidates, type WaitlistCandidate } from '../../domain/waitlist-ranking.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { candidateOf, tooLateToRefill } from '../claims/open-round.ts';
import { drawAgain, drawConfirmationCode } from '../visits/confirmation-code.ts';
import { place } from '../visits/place.ts';

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

/** What keeps everybody from it. */
const ENDS: ReadonlySet<ErrorCode> = new Set([
  'in_the_past',
  'too_soon',
  'too_far_ahead',
  'off_grid',
  'invalid_duration',
  'day_full',
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
  const found = await candidatesFor(deps, act, roundId);
  if (!Array.isArray(found)) return release(deps, act, roundId, 'too_late');
  for (const candidate of found) {
    const result = await tryCandidate(deps, act, roundId, candidate);
    if (result !== 'passed') return result;
  }
  return release(deps, act, roundId, 'nobody_fits');
}

/** Who fits into the slot, the best first; or it is too late to look for anybody. */
function candidatesFor(deps: SchedulingDeps, act: Act, roundId: string): Promise<WaitlistCandidate[] | 'too_late'> {
  return door(deps, act, async (tx) => {
    const round = await findRoundToFill(tx, roundId);
    if (round === undefined) throw new AppError('not_found');
    if (round.state !== 'OPEN') return [];
    const { timeZone, policy } = await deps.schedules.underLock(tx, act.clinicId, round.rules);
    const from = round.slotStart.getTime();
    const now = act.now.getTime();
    if (tooLateToRefill(from, now, policy.waitlist)) return 'too_late';
    const { specialty, freedByPatientId, entries } = round;
    const slot = { providerId: round.rules.providerId, specialty, timeZone, freedByPatientId };
    return rankCandidates({ ...slot, ...visitAt(from, round.durationMinutes) }, entries.map(candidateOf), now);
  });
}

async function tryCandidate(
  deps: SchedulingDeps,
  act: Act,
  roundId: string,
  candidate: WaitlistCandidate,
): Promise<RoundOutcome | 'passed'> {
  try {
    return await drawAgain(() => door(deps, act, (tx) => bookCandidate(deps, tx, act, roundId, candidate)));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code } = error;
    // The provider's time can be taken too: buffers that have grown since the slot was freed reach into a neighbour.
    if (PASSES.has(code)) {
      await door(deps, act, (tx) => pass(deps, tx, act, roundId, candidate, code));
      return 'passed';
    }
    if (ENDS.has(code)) return release(deps, act, roundId, code);
    throw error;
  }
}

async function bookCandidate(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  roundId: string,
  candidate: WaitlistCandidate,
): Promise<RoundOutcome | 'passed'> {
  const { entryId, patientId, durationMinutes } = candidate;
  const locked = await lockRound(tx, act.clinicId, roundId, entryId);
  if (locked === undefined) throw new AppError('not_found');
  const { round, isKept, isWaiting } = locked;
  if (round.state !== 'OPEN') return { outcome: 'closed' };
  if (!isKept) return giveBack(tx, act, roundId, 'expired');
  if (!isWaiting) {
    await pass(deps, tx, act, roundId, candidate, 'no_longer_waiting');
    return 'passed';
  }
  const appointmentId = deps.newId();
  const { provider_id: providerId, slot_start: slotStart } = round;
  const wanted = {
    providerId,
    patientId,
    from: slotStart.getTime(),
    durationMinutes,
    limits: 'all',
    writes: () => ({
      appointmentId,
      confirmationCode: drawConfirmationCode(deps),
      bookedVia: 'waitlist' as const,
      timeSetAt: act.now,
      entryId,
    }),
  } as const;
  await place(deps, tx, act, [wanted], { claim: { roundId } });
  await closeRoundAsFilled(tx, act, { roundId, entryId, candidateId: deps.newId(), appointmentId });
  return { outcome: 'filled', appointmentId, entryId };
}

function pass(
  deps: SchedulingDeps,
  tx: Tx,
  { clinicId }: Act,
  roundId: string,
  { entryId }: WaitlistCandidate,
  reason: string,
): Promise<void> {
  return recordPassed(tx, { candidateId: deps.newId(), clinicId, roundId, entryId, reason });
}

function release(deps: SchedulingDeps, act: Act, roundId: string, reason: string): Promise<RoundOutcome> {
  return door(deps, act, async (tx) => {
    const locked = await lockRound(tx, act.clinicId, roundId);
    if (locked === undefined) throw new AppError('not_found');
    return locked.round.state === 'OPEN' ? giveBack(tx, act, roundId, reason) : { outcome: 'closed' };
  });
}

async function giveBack(tx: Tx, act: Act, roundId: string, reason: string): Promise<RoundOutcome> {
  await closeRoundAsReleased(tx, act, roundId, reason);
  return { outcome: 'released', reason };
}
