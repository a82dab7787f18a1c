import type { Interval } from './interval.ts';

/* Lengths of time on the clock. Nothing here knows a zone, so workflows may use it. */

export const MINUTE_MS = 60_000;
/** Of an ordinary day; local days may be shorter or longer. */
export const DAY_MS = 86_400_000;

/** The time of a visit, without buffers. @param from - epoch milliseconds */
export function visitAt(from: number, durationMinutes: number): Interval {
  return { from, to: from + durationMinutes * MINUTE_MS };
}

/** As {@link visitAt}, of an appointment's row. */
export function visitOf(row: { readonly appointment_time: Date; readonly duration_minutes: number }): Interval {
  return visitAt(row.appointment_time.getTime(), row.duration_minutes);
}
