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
  'being_moved',
  'offer_closed',
  'recipient_refuses',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/**
 * Is a notification no longer worth sending? It speaks of the visit as it was planned: once the visit has moved, was cancelled or has begun, the
 * message would be wrong or useless. The notice of a cancelling is due only while the visit is cancelled. Where a newer message says it better (after
 * an outage several wait at once), the older one is superseded. Nobody is reminded of a visit for which the clinic looks for another time, and an offer is
 * told while it can be answered.
 */
export function whyNotDue(
  notification: {
    readonly kind: string;
    readonly plannedFor: Date;
    /** The appointment's version when it was planned. */
    readonly appointmentVersion: number;
    /** Is a later reminder of the same visit under way or done? */
    readonly laterReminder: boolean;
    /** For the message about an offer: until when it can be answered; undefined when somebody has closed it. */
    readonly offerOpenUntil?: Date | undefined;
    /** Has its recipient been found to refuse us at that address? */
    readonly recipientRefuses?: boolean;
  },
  appointment: {
    readonly status: AppointmentStatus;
    readonly appointmentTime: Date;
    /** The version at which the present time was set. */
    readonly timeSetVersion: number;
    /** Is its provider away, and is another time looked for? */
    readonly beingMoved: boolean;
  },
  now: Date,
): SkipReason | undefined {
  if (appointment.appointmentTime <= now) return 'visit_begun';
  if (appointment.appointmentTime.getTime() !== notification.plannedFor.getTime()) return 'moved';
  if (notification.recipientRefuses === true) return 'recipient_refuses';
  if (tellsOfCancelling(notification.kind)) return appointment.status === 'CANCELLED' ? undefined : 'not_cancelled';
  if (appointment.status === 'CANCELLED') return 'cancelled';
  if (appointment.status !== 'SCHEDULED') return 'not_scheduled';
  if (notification.kind === 'move_offer') {
    return notification.offerOpenUntil !== undefined && notification.offerOpenUntil > now ? undefined : 'offer_closed';
  }
  if (isReminderKind(notification.kind) && appointment.beingMoved) return 'being_moved';
  const isSuperseded = isReminderKind(notification.kind)
    ? notification.laterReminder
    : appointment.timeSetVersion > notification.appointmentVersion;
  return isSuperseded ? 'superseded' : undefined;
}
