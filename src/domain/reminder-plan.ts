import { MINUTE_MS } from './clock.ts';
import type { ReminderKind } from './notification.ts';
import { minusPeriod } from './time-zone.ts';

/** A reminder and when it is due, in epoch milliseconds. */
export interface PlannedReminder {
  readonly kind: ReminderKind;
  readonly dueAt: number;
}

export interface ReminderPlanInput {
  /** The clinic's zone: "three days before" keeps the clinic's wall clock. */
  readonly timeZone: string;
  readonly appointmentTime: number;
  /** When the appointment got its present time: booked, or last moved. */
  readonly timeSetAt: number;
  /** The policy's ISO 8601 periods, e.g. `P3D`, `P1D`, `PT2H`. */
  readonly offsets: readonly string[];
  /** The policy's. */
  readonly gapMinutes: number;
}

/**
 * The reminders of an appointment, earliest first.
 * Those due before the appointment had its present time, or sooner after that than the policy's gap, are not planned: the confirmation has just said it
 * all.
 *
 * @throws RangeError for an offset that is no ISO 8601 period or a zone that does not exist
 */
export function planReminders(input: ReminderPlanInput): PlannedReminder[] {
  const from = input.timeSetAt + input.gapMinutes * MINUTE_MS;
  return [...new Set(input.offsets)]
    .map((offset): PlannedReminder => ({
      kind: `reminder:${offset}`,
      dueAt: minusPeriod(input.timeZone, input.appointmentTime, offset),
    }))
    .filter((reminder) => reminder.dueAt >= from && reminder.dueAt < input.appointmentTime)
    .sort((a, b) => a.dueAt - b.dueAt);
}

export interface NextReminderInput {
  /** As {@link planReminders} returns it. */
  readonly plan: readonly PlannedReminder[];
  /** The kinds that were already handled for this appointment at this time: sent, being sent, failed or skipped. */
  readonly sent: ReadonlySet<string>;
  readonly now: number;
  readonly appointmentTime: number;
}

/** `skipped` are the overdue kinds that will never be sent: a later one took their place, or the visit has begun. */
export type NextReminder =
  | { readonly action: 'send'; readonly kind: ReminderKind; readonly skipped: readonly ReminderKind[] }
  | {
      readonly action: 'wait';
      readonly kind: ReminderKind;
      readonly at: number;
      readonly skipped: readonly ReminderKind[];
    }
  | { readonly action: 'none'; readonly skipped: readonly ReminderKind[] };

/**
 * Which reminder to send now, or which to wait for.
 *
 * The rule for being late (workers may have been down for hours): a reminder is still worth sending until the next one is due or the visit begins,
 * whichever is first. So of several overdue ones only the latest is sent and the earlier ones are superseded; nothing is sent once the visit has begun.
 * Texts name the date, never "in three days", so a late one is still true.
 */
export function nextReminder(input: NextReminderInput): NextReminder {
  const { plan, sent, now, appointmentTime } = input;
  const open = plan.filter((reminder) => !sent.has(reminder.kind));
  if (now >= appointmentTime) return { action: 'none', skipped: open.map((reminder) => reminder.kind) };

  const latestDue = plan.findLast((reminder) => reminder.dueAt <= now);
  const skipped = open
    .filter((reminder) => reminder.dueAt <= now && reminder !== latestDue)
    .map((reminder) => reminder.kind);
  if (latestDue !== undefined && open.includes(latestDue)) return { action: 'send', kind: latestDue.kind, skipped };

  const upcoming = open.find((reminder) => reminder.dueAt > now);
  if (upcoming !== undefined) return { action: 'wait', kind: upcoming.kind, at: upcoming.dueAt, skipped };
  return { action: 'none', skipped };
}

/** When a visit that nobody marked counts as completed: its end plus the clinic's grace. Epoch milliseconds. */
export function completionDueAt(end: number, graceMinutes: number): number {
  return end + graceMinutes * MINUTE_MS;
}
