import type { AppointmentStatus } from '../domain/appointment.ts';
import { isReminderKind, tellsOfCancelling } from '../domain/notification.ts';

/** Why a notification was not sent when its turn came. */
export const SKIP_REASONS = [
  'visit_begun',
  'moved',
  'cancelled',
  'not_scheduled',
  'not_cancelled',
  'superseded',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/**
 * Is a notification no longer worth sending? It speaks of the visit as it was planned: once the visit has moved, was cancelled or has begun, the
 * message would be wrong or useless. The notice of a cancelling is due only while the visit is cancelled. Where a newer message says it better (after
 * an outage several wait at once), the older one is superseded.
 */
export function whyNotDue(
  notification: {
    readonly kind: string;
    readonly plannedFor: Date;
    /** The appointment's version when it was planned. */
    readonly appointmentVersion: number;
    /** Is a later reminder of the same visit under way or done? */
    readonly laterReminder: boolean;
  },
  appointment: {
    readonly status: AppointmentStatus;
    readonly appointmentTime: Date;
    /** The version at which the present time was set. */
    readonly timeSetVersion: number;
  },
  now: Date,
): SkipReason | undefined {
  if (appointment.appointmentTime <= now) return 'visit_begun';
  if (appointment.appointmentTime.getTime() !== notification.plannedFor.getTime()) return 'moved';
  if (tellsOfCancelling(notification.kind)) return appointment.status === 'CANCELLED' ? undefined : 'not_cancelled';
  if (appointment.status === 'CANCELLED') return 'cancelled';
  if (appointment.status !== 'SCHEDULED') return 'not_scheduled';
  const isSuperseded = isReminderKind(notification.kind)
    ? notification.laterReminder
    : appointment.timeSetVersion > notification.appointmentVersion;
  return isSuperseded ? 'superseded' : undefined;
}
