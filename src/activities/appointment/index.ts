import { inContext } from '../../db/connection.ts';
import { AppError } from '../../domain/errors.ts';
import type { SchedulingDeps } from '../../scheduling/act.ts';
import { completeUnmarked } from '../../scheduling/visits/attend.ts';
import { activityNow } from '../now.ts';
import { planStep, type PlannedStep } from './plan.ts';

export interface AppointmentRef {
  readonly appointmentId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface CompletionOutcome {
  readonly outcome: 'completed' | 'refused';
  readonly code?: string;
}

export interface AppointmentActivityDeps extends SchedulingDeps {
  readonly clock: () => number;
}

// The row may change between reading and storing; then somebody's signal is on its way and one more look is cheap.
const PLANNING_TRIES = 3;

export function createAppointmentActivities(deps: AppointmentActivityDeps) {
  const { connection, clock } = deps;

  return {
    /** Reads row, policy and ledger, stores what comes next on the row and returns it. @throws AppError `not_found` */
    async planNextAction(input: AppointmentRef): Promise<PlannedStep> {
      const now = activityNow(clock);
      for (let tries = 1; tries <= PLANNING_TRIES; tries += 1) {
        const step = await inContext(connection.db, { clinicId: input.clinicId }, (tx) =>
          planStep(tx, input.appointmentId, now),
        );
        if (step !== undefined) return step;
      }
      throw new AppError('temporarily_unavailable', { appointmentId: input.appointmentId });
    },

    /**
     * The visit is over and nobody marked it: it took place. A refusal means that the appointment has changed, or that its provider was away and a person
     * decides: the next plan will see it.
     */
    async completeAppointment(input: AppointmentRef): Promise<CompletionOutcome> {
      const act = {
        actor: { kind: 'system', id: 'appointment-workflow' },
        clinicId: input.clinicId,
        now: activityNow(clock),
        ...(input.requestId === undefined ? {} : { requestId: input.requestId }),
      } as const;
      try {
        await completeUnmarked(deps, act, { appointmentId: input.appointmentId });
        return { outcome: 'completed' };
      } catch (error) {
        if (
          error instanceof AppError &&
          ['appointment_not_scheduled', 'visit_not_begun', 'provider_away'].includes(error.code)
        )
          return { outcome: 'refused', code: error.code };
        throw error;
      }
    },
  };
}
