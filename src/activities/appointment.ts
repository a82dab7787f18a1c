import { inContext } from '../db/connection.ts';
import { storePlan } from '../db/appointments.ts';
import { openRoundOf } from '../db/waitlist.ts';
import { AppError } from '../domain/errors.ts';
import type { AppointmentStatus } from '../domain/appointment.ts';
import type { NotificationKind } from '../domain/notification.ts';
import { completeAppointment as completeVisit } from '../scheduling/attend.ts';
import type { SchedulingDeps } from '../scheduling/act.ts';
import type { ReminderState } from './appointment-plan.ts';
import { describeAppointment } from './appointment-details.ts';
import { activityNow } from './now.ts';
import { readSituation, recordSkipped } from './situation.ts';

export interface AppointmentRef {
  readonly appointmentId: string;
  readonly clinicId: string;
  readonly requestId?: string;
}

/** What an appointment's workflow does next. Instants are ISO strings, so that they read well in a history. */
export type PlannedAction =
  | { readonly kind: 'notify'; readonly notificationKind: NotificationKind; readonly at: string }
  | { readonly kind: 'complete'; readonly at: string }
  | { readonly kind: 'none' };

export interface PlannedStep {
  /** The row's version that was planned from. */
  readonly version: number;
  readonly status: AppointmentStatus;
  readonly providerId: string;
  readonly action: PlannedAction;
  readonly reminderState: ReminderState;
  /** The round that this appointment's freed slot opened and that nobody has closed yet. */
  readonly openRoundId?: string;
  /** For the operator: what the Web UI shows as the workflow's current details. */
  readonly detailsMarkdown: string;
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
        const step = await inContext(connection.db, { clinicId: input.clinicId }, async (tx) => {
          const situation = await readSituation(tx, input.appointmentId, now);
          const { row, plan } = situation;
          const { action, reminderState } = plan;
          const stored = await storePlan(tx, row.appointment_id, row.version, {
            nextAction:
              action.kind === 'none' ? null : action.kind === 'notify' ? action.notificationKind : action.kind,
            nextActionAt: action.kind === 'none' ? null : new Date(action.at),
            reminderState,
          });
          if (!stored) return undefined;
          await recordSkipped(tx, situation, now);
          const openRoundId = await openRoundOf(tx, row.appointment_id);
          return {
            version: row.version,
            status: row.status,
            providerId: row.provider_id,
            action: action.kind === 'none' ? action : { ...action, at: new Date(action.at).toISOString() },
            reminderState,
            ...(openRoundId === undefined ? {} : { openRoundId }),
            detailsMarkdown: describeAppointment(situation, openRoundId),
          };
        });
        if (step !== undefined) return step;
      }
      throw new AppError('temporarily_unavailable', { appointmentId: input.appointmentId });
    },

    /** The visit is over and nobody marked it: it took place. A refusal means that the appointment has changed, which the next plan will see. */
    async completeAppointment(input: AppointmentRef): Promise<CompletionOutcome> {
      const act = {
        actor: { kind: 'system', id: 'appointment-workflow' },
        clinicId: input.clinicId,
        now: activityNow(clock),
        ...(input.requestId === undefined ? {} : { requestId: input.requestId }),
      } as const;
      try {
        await completeVisit(deps, act, { appointmentId: input.appointmentId });
        return { outcome: 'completed' };
      } catch (error) {
        if (
          error instanceof AppError &&
          (error.code === 'appointment_not_scheduled' || error.code === 'visit_not_begun')
        )
          return { outcome: 'refused', code: error.code };
        throw error;
      }
    },
  };
}
