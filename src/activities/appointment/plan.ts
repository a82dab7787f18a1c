import { storePlan } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { openRoundsOf } from '../../db/waitlist.ts';
import type { AppointmentStatus } from '../../domain/appointment.ts';
import type { NotificationState, PlannedKind } from '../../domain/notification.ts';
import { describeAppointment } from './describe.ts';
import type { ReminderState } from '../../domain/appointment-plan.ts';
import { recordSkipped, type Situation } from './read.ts';

/** What an appointment's workflow does next. Instants are ISO strings, so that they read well in a history. */
export type PlannedAction =
  | { readonly kind: 'notify'; readonly notificationKind: PlannedKind; readonly at: string }
  | { readonly kind: 'complete' | 'day_end_list'; readonly at: string }
  | { readonly kind: 'none' };

/** For the operator's list: a message about the visit failed on every channel that was tried, or nobody knows whether it arrived. */
export type Attention = 'MESSAGE_FAILED' | 'MESSAGE_UNKNOWN';

const TROUBLED: ReadonlySet<NotificationState> = new Set(['FAILED', 'UNKNOWN']);

export interface PlannedStep {
  /** The row's version that was planned from. */
  readonly version: number;
  readonly status: AppointmentStatus;
  readonly providerId: string;
  readonly action: PlannedAction;
  readonly reminderState: ReminderState;
  /** Why a person has to look at it, if one has to. */
  readonly attention?: Attention | undefined;
  /** The rounds that this appointment's freed slots opened and that nobody has closed yet. */
  readonly openRoundIds: readonly string[];
  /** For the operator: what the Web UI shows as the workflow's current details. */
  readonly detailsMarkdown: string;
}

/** Stores what comes next on the row that it was planned from. Undefined when the row has changed in between: look again. */
export async function storeStep(tx: Tx, situation: Situation, now: Date): Promise<PlannedStep | undefined> {
  const { row, plan } = situation;
  const { action, reminderState } = plan;
  const stored = await storePlan(tx, row.appointment_id, row.version, {
    nextAction: action.kind === 'none' ? null : action.kind === 'notify' ? action.notificationKind : action.kind,
    nextActionAt: action.kind === 'none' ? null : new Date(action.at),
    reminderState,
  });
  if (!stored) return undefined;
  await recordSkipped(tx, situation, now);
  const openRoundIds = await openRoundsOf(tx, row.appointment_id);
  return {
    version: row.version,
    status: row.status,
    providerId: row.provider_id,
    action: action.kind === 'none' ? action : { ...action, at: new Date(action.at).toISOString() },
    reminderState,
    attention: attentionOf(situation, now),
    openRoundIds,
    detailsMarkdown: describeAppointment(situation, openRoundIds),
  };
}

/** Messages about the visit as it stands that nobody knows to have arrived, while there is time to do something about it. */
function attentionOf({ row, ledger }: Situation, now: Date): Attention | undefined {
  if (row.appointment_time <= now) return undefined;
  const messages = ledger.filter((entry) => entry.planned_for.getTime() === row.appointment_time.getTime());
  const wentOut = new Set(messages.filter(({ state }) => !TROUBLED.has(state)).map(({ kind }) => kind));
  const states = new Set(messages.filter(({ kind }) => !wentOut.has(kind)).map(({ state }) => state));
  if (states.has('FAILED')) return 'MESSAGE_FAILED';
  return states.has('UNKNOWN') ? 'MESSAGE_UNKNOWN' : undefined;
}
