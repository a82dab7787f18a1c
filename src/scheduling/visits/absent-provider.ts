import { visitOf } from '../../domain/clock.ts';
import type { AppointmentRow } from '../../db/appointments.ts';
import { objectionsOfHours, type HoursObjection } from '../../domain/availability/judge.ts';
import type { ProviderSchedule } from '../../domain/availability/schedule.ts';

/** A date that an override closes is as good as time off. */
const ABSENCES: ReadonlySet<HoursObjection['rule']> = new Set(['closure', 'time_off', 'closed_date']);

/**
 * Is the visit's provider away, or the clinic closed, at any moment of it? What staff have booked there on purpose takes place.
 * @param schedule - one that still knows the visit's day: what is over is left out of those as last read
 */
export function isAbsent(
  schedule: ProviderSchedule,
  visit: Pick<AppointmentRow, 'appointment_time' | 'duration_minutes' | 'override_rules'>,
): boolean {
  return objectionsOfHours(schedule, visitOf(visit)).some(
    ({ rule, code }) => ABSENCES.has(rule) && !visit.override_rules.includes(code),
  );
}
