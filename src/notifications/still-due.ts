import type { AppointmentStatus } from '../domain/appointment.ts';

/** Why a notification was not sent when its turn came. */
export const SKIP_REASONS = ['visit_begun', 'moved', 'cancelled', 'not_scheduled', 'not_cancelled'] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/**
 * Is a notification no longer worth sending? It speaks of the visit as it was planned: once the visit has moved, was cancelled or has begun, the
 * message would be wrong or useless. The notice of a cancelling is due only while the visit is cancelled.
 */
export function whyNotDue(
  notification: { readonly kind: string; readonly plannedFor: Date },
  appointment: { readonly status: AppointmentStatus; readonly appointmentTime: Date },
  now: Date,
): SkipReason | undefined {
  if (appointment.appointmentTime <= now) return 'visit_begun';
  if (appointment.appointmentTime.getTime() !== notification.plannedFor.getTime()) return 'moved';
  if (notification.kind === 'cancelled') return appointment.status === 'CANCELLED' ? undefined : 'not_cancelled';
  if (appointment.status === 'CANCELLED') return 'cancelled';
  return appointment.status === 'SCHEDULED' ? undefined : 'not_scheduled';
}
