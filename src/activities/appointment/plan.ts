import { storePlan } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { openRoundOf } from '../../db/waitlist.ts';
import type { AppointmentStatus } from '../../domain/appointment.ts';
import type { PlannedKind } from '../../domain/notification.ts';
import { describeAppointment } from './describe.ts';
import type { ReminderState } from '../../domain/appointment-plan.ts';
import { readSituation, recordSkipped } from './read.ts';

/** What an appointment's workflow does next. Instants are ISO strings, so that they read well in a history. */
export type PlannedAction =
  | { readonly kind: 'notify'; readonly notificationKind: PlannedKind; readonly at: string }
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

/**
 * Plans from row, policy and ledger and stores what comes next on the row. Undefined when the row has changed in between: look again.
 *
 * @throws AppError `not_found`
 */
export async function planStep(tx: Tx, appointmentId: string, now: Date): Promise<PlannedStep | undefined> {
  const situation = await readSituation(tx, appointmentId, now);
  const { row, plan } = situation;
  const { action, reminderState } = plan;
  const stored = await storePlan(tx, row.appointment_id, row.version, {
    nextAction: action.kind === 'none' ? null : action.kind === 'notify' ? action.notificationKind : action.kind,
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
}
