import { visitAt } from './clock.ts';
import type { AppointmentStatus } from './appointment.ts';
import {
  CHANNELS,
  type Channel,
  notificationId,
  type NoticeKind,
  type PlannedKind,
  type NotificationState,
  type ReminderKind,
} from './notification.ts';
import type { ClinicPolicy } from './policy.ts';
import { completionDueAt, nextReminder, planReminders, type PlannedReminder } from './reminder-plan.ts';

/** What planning reads of an appointment. Instants in epoch milliseconds. */
export interface AppointmentFacts {
  readonly appointmentId: string;
  readonly status: AppointmentStatus;
  readonly appointmentTime: number;
  readonly durationMinutes: number;
  readonly bookedVia: 'api' | 'waitlist';
  readonly timeSetAt: number;
  readonly timeSetVersion: number;
  /** When the row last changed. */
  readonly changedAt: number;
  readonly version: number;
  readonly checkedIn: boolean;
  /** How many visits of its series its notice speaks for: 1 is its own alone, none means that another visit's notice speaks for it. */
  readonly noticeVisits: number;
}

/** What planning reads of one row of the ledger. */
export interface LedgerFacts {
  readonly notificationId: string;
  readonly state: NotificationState;
  readonly dueAt: number;
  /** It did not reach its recipient, who may be reached on another channel. */
  readonly refused?: boolean;
}

export interface PlanInput {
  readonly appointment: AppointmentFacts;
  readonly policy: Pick<ClinicPolicy, 'reminderOffsets' | 'reminderGapMinutes' | 'completionGraceMinutes'>;
  /** The clinic's. */
  readonly timeZone: string;
  readonly ledger: readonly LedgerFacts[];
  /** Where the patient can be reached; asked only when a message did not reach them. */
  readonly reachable?: readonly Channel[];
  readonly now: number;
}

export type NextAction =
  | { readonly kind: 'notify'; readonly notificationKind: PlannedKind; readonly at: number }
  | { readonly kind: 'complete'; readonly at: number }
  /** Nobody has marked it: from then on it waits on the day-end list for a person. */
  | { readonly kind: 'day_end_list'; readonly at: number }
  | { readonly kind: 'none' };

/** Why a notification will never go out. */
export type SkipReason = 'superseded' | 'visit_begun' | 'checked_in';

/**
 * NONE: there is no reminder for it. PLANNED: the next one is to come or on its way. SENT: the last one due was accepted. FAILED: the last one due
 * failed. DONE: none will follow.
 */
export type ReminderState = 'NONE' | 'PLANNED' | 'SENT' | 'FAILED' | 'DONE';

export interface AppointmentPlan {
  readonly action: NextAction;
  /** What was due and will never be sent; the ledger says why. */
  readonly skipped: readonly { readonly kind: PlannedKind; readonly reason: SkipReason }[];
  /** Ledger rows that were planned, never published, and have lost their point. */
  readonly abandoned: readonly string[];
  readonly reminderState: ReminderState;
}

/**
 * What an appointment does next. It asks the ledger what already went out, so a workflow that starts anew repeats nothing: first the notice of the
 * latest change, then the reminders, then completion: by itself only of a patient who was checked in.
 *
 * A reminder that was due before that notice went out, or shortly after it, is not sent: the notice has just said it all.
 */
export function planAppointment(input: PlanInput): AppointmentPlan {
  const { appointment, policy, now } = input;
  const ledger = new Map(input.ledger.map((entry) => [entry.notificationId, entry]));
  const notice = noticeOf(appointment);
  const noticeEntry = notice && find(ledger, noticeIds(appointment, notice), input.reachable);
  const begun = now >= appointment.appointmentTime;

  const plan = planReminders({
    timeZone: input.timeZone,
    appointmentTime: appointment.appointmentTime,
    timeSetAt: Math.max(appointment.timeSetAt, noticeEntry?.dueAt ?? 0),
    offsets: policy.reminderOffsets,
    gapMinutes: policy.reminderGapMinutes,
  });
  const entries = new Map<string, LedgerFacts>();
  for (const { kind } of plan) {
    const entry = find(ledger, reminderIds(appointment, kind), input.reachable);
    if (entry !== undefined) entries.set(kind, entry);
  }

  const skipped: { kind: PlannedKind; reason: SkipReason }[] = [];
  let action: NextAction = { kind: 'none' };

  const noticeIsOpen = notice !== undefined && isOpen(noticeEntry);
  if (noticeIsOpen && begun) skipped.push({ kind: notice.kind, reason: 'visit_begun' });
  if (noticeIsOpen && !begun) action = { kind: 'notify', notificationKind: notice.kind, at: now };
  else if (appointment.status === 'SCHEDULED') action = remindOrComplete(input, plan, entries, skipped);

  return {
    action,
    skipped,
    abandoned: abandonedRows(input, action, notice),
    reminderState: reminderState(appointment, plan, entries, begun),
  };
}

/** The notice that the latest change calls for, and the version its id is made from. */
function noticeOf(appointment: AppointmentFacts): { readonly kind: NoticeKind; readonly version: number } | undefined {
  const { status, timeSetVersion, bookedVia, version, noticeVisits } = appointment;
  if (noticeVisits === 0) return undefined;
  const isOfSeries = noticeVisits > 1;
  if (status === 'CANCELLED') return { kind: isOfSeries ? 'series_cancelled' : 'cancelled', version };
  if (status !== 'SCHEDULED') return undefined;
  if (timeSetVersion > 1) return { kind: isOfSeries ? 'series_rescheduled' : 'rescheduled', version: timeSetVersion };
  if (isOfSeries) return { kind: 'series_confirmation', version: timeSetVersion };
  return { kind: bookedVia === 'waitlist' ? 'waitlist_booked' : 'confirmation', version: timeSetVersion };
}

function remindOrComplete(
  input: PlanInput,
  plan: readonly PlannedReminder[],
  entries: ReadonlyMap<string, LedgerFacts>,
  skipped: { kind: PlannedKind; reason: SkipReason }[],
): NextAction {
  const { appointment, policy, now } = input;
  const { to: end } = visitAt(appointment.appointmentTime, appointment.durationMinutes);
  if (appointment.checkedIn) {
    // What is not due yet may be again: the check-in is undone where it was a mistake.
    for (const { kind, dueAt } of plan) {
      if (dueAt <= now && isOpen(entries.get(kind))) skipped.push({ kind, reason: 'checked_in' });
    }
    // A change after the visit, such as an undone completion, gives the desk the whole grace again.
    const completeAt = completionDueAt(Math.max(end, appointment.changedAt), policy.completionGraceMinutes);
    return { kind: 'complete', at: completeAt };
  }

  const next = nextReminder({
    plan,
    sent: new Set([...entries].filter(([, entry]) => !isOpen(entry)).map(([kind]) => kind)),
    now,
    appointmentTime: appointment.appointmentTime,
  });
  const reason = now >= appointment.appointmentTime ? 'visit_begun' : 'superseded';
  for (const kind of next.skipped) skipped.push({ kind, reason });

  if (next.action === 'none') return now < end ? { kind: 'day_end_list', at: end } : { kind: 'none' };
  const dueAt = plan.find((reminder) => reminder.kind === next.kind)?.dueAt ?? now;
  return { kind: 'notify', notificationKind: next.kind, at: dueAt };
}

/** A row that is only PLANNED was never confirmed by the broker: it goes out again, or never. */
function abandonedRows(
  input: PlanInput,
  action: NextAction,
  notice: { readonly kind: NoticeKind; readonly version: number } | undefined,
): string[] {
  const wanted = new Set<string>();
  if (action.kind === 'notify') {
    const ids =
      notice?.kind === action.notificationKind
        ? noticeIds(input.appointment, notice)
        : reminderIds(input.appointment, action.notificationKind as ReminderKind);
    for (const id of ids) wanted.add(id);
  }
  return input.ledger
    .filter((entry) => entry.state === 'PLANNED' && !wanted.has(entry.notificationId))
    .map((entry) => entry.notificationId);
}

function reminderState(
  appointment: AppointmentFacts,
  plan: readonly PlannedReminder[],
  entries: ReadonlyMap<string, LedgerFacts>,
  begun: boolean,
): ReminderState {
  const handled = plan.flatMap(({ kind }) => entries.get(kind) ?? []).filter((entry) => entry.state !== 'SKIPPED');
  const last = handled.at(-1);
  if (last?.state === 'FAILED') return 'FAILED';
  const over = appointment.status !== 'SCHEDULED' || begun || appointment.checkedIn;
  if (over) return handled.length > 0 ? 'DONE' : 'NONE';
  if (plan.length === 0) return 'NONE';
  return last?.state === 'ACCEPTED' || last?.state === 'DELIVERED' ? 'SENT' : 'PLANNED';
}

function isOpen(entry: LedgerFacts | undefined): boolean {
  return entry === undefined || entry.state === 'PLANNED';
}

/** The ids a notice could have: one a channel. */
function noticeIds(
  appointment: AppointmentFacts,
  notice: { readonly kind: NoticeKind; readonly version: number },
): string[] {
  return CHANNELS.map((channel) => notificationId({ appointmentId: appointment.appointmentId, ...notice, channel }));
}

function reminderIds(appointment: AppointmentFacts, kind: ReminderKind): string[] {
  const { appointmentId, appointmentTime } = appointment;
  return CHANNELS.map((channel) => notificationId({ appointmentId, kind, appointmentTime, channel }));
}

/**
 * The row that stands for a message, of those it could have. One that was refused stands for it only where no other channel is left: undefined is a
 * message that has yet to go out.
 *
 * @param ids - one a channel, in their order
 */
function find(
  ledger: ReadonlyMap<string, LedgerFacts>,
  ids: readonly string[],
  reachable: readonly Channel[] = [],
): LedgerFacts | undefined {
  const entries = ids.map((id) => ledger.get(id));
  const untried = CHANNELS.some((channel, index) => reachable.includes(channel) && entries[index] === undefined);
  const found = entries.filter((entry) => entry !== undefined);
  return found.find((entry) => entry.refused !== true) ?? (untried ? undefined : found[0]);
}
