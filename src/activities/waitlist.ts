import { inContext } from '../db/connection.ts';
import { setRoundDeadline } from '../db/round-deadline.ts';
import { findRound } from '../db/waitlist.ts';
import { AppError } from '../domain/errors.ts';
import { fillRound as fillThroughTheDoor } from '../scheduling/waitlist/fill-round.ts';
import type { SchedulingDeps } from '../scheduling/act.ts';
import { activityNow } from './now.ts';

export interface RoundRef {
  readonly roundId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface RoundStart {
  readonly state: 'OPEN' | 'FILLED' | 'RELEASED';
  readonly providerId: string;
  readonly slotStart: string;
  /** Until then the slot is kept for the waitlist; later the sweep tells of the round again. */
  readonly deadline: string;
}

export type FillOutcome =
  | { readonly outcome: 'filled'; readonly appointmentId: string }
  | { readonly outcome: 'released'; readonly reason: string };

export interface WaitlistActivityDeps extends SchedulingDeps {
  readonly clock: () => number;
}

/** Booking the best waiting patient takes moments: what is still open after this is worth another look. */
const AUTO_BOOK_MINUTES = 5;

export function createWaitlistActivities(deps: WaitlistActivityDeps) {
  const { connection, clock } = deps;

  return {
    /** Sets the round's deadline, for itself and for the reservation that keeps the slot. @throws AppError `not_found` */
    async beginRound(input: RoundRef): Promise<RoundStart> {
      return inContext(connection.db, { clinicId: input.clinicId }, async (tx) => {
        const round = await setRoundDeadline(tx, input.roundId, AUTO_BOOK_MINUTES);
        if (round === undefined) throw new AppError('not_found', { roundId: input.roundId });
        return {
          state: round.state,
          providerId: round.provider_id,
          slotStart: round.slot_start.toISOString(),
          deadline: round.deadline.toISOString(),
        };
      });
    },

    /** Books the best waiting patient or gives the slot back. Repeated after a lost answer, it tells what happened the first time. @throws AppError `not_found` */
    async fillRound(input: RoundRef): Promise<FillOutcome> {
      const act = {
        actor: { kind: 'system', id: 'rebook-workflow' },
        clinicId: input.clinicId,
        now: activityNow(clock),
        ...(input.requestId === undefined ? {} : { requestId: input.requestId }),
      } as const;
      const result = await fillThroughTheDoor(deps, act, { roundId: input.roundId });
      if (result.outcome === 'filled') return { outcome: 'filled', appointmentId: result.appointmentId };
      if (result.outcome === 'released') return result;

      const round = await inContext(connection.db, { clinicId: input.clinicId }, (tx) => findRound(tx, input.roundId));
      if (round?.state === 'FILLED' && round.filled_appointment_id !== null)
        return { outcome: 'filled', appointmentId: round.filled_appointment_id };
      return { outcome: 'released', reason: round?.closed_reason ?? 'closed' };
    },
  };
}
