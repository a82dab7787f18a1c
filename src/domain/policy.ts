/**
 * A clinic's rules as one typed document, stored in `clinic.policy`. Durations in ISO 8601 (RFC 3339 appendix A) where they are calendar
 * periods, in whole minutes or days where they are plain lengths.
 */
export interface ClinicPolicy {
  /** How long before the visit each reminder is due, e.g. `P3D` (calendar days in the clinic's zone) or `PT2H` (exact hours). */
  readonly reminderOffsets: readonly string[];
  /** A reminder that is due sooner than this after the confirmation, or after the notice of a move, is not sent: the patient has just read it all. */
  readonly reminderGapMinutes: number;
  /** A visit must be booked at least this long before it starts. */
  readonly bookingNoticeMinutes: number;
  /** A visit may be booked at most this many days ahead. */
  readonly bookingHorizonDays: number;
  /** A visit may be moved until this long before it starts. */
  readonly moveNoticeMinutes: number;
  /** How often one visit may be moved; null: as often as anybody likes. */
  readonly maxMovesPerAppointment: number | null;
  /** How many visits ahead a patient may have at the clinic, and how many of them with one provider; null: no limit. */
  readonly maxUpcomingPerPatient: number | null;
  readonly maxUpcomingPerProviderAndPatient: number | null;
  /** Cancelling later than this is marked as late; it is never refused. */
  readonly cancellationNoticeMinutes: number;
  /** The grid on which visits may start. */
  readonly slotStepMinutes: number;
  /** The provider's time kept free before and after a visit. */
  readonly bufferBeforeMinutes: number;
  readonly bufferAfterMinutes: number;
  /** How long a hold lasts. */
  readonly holdMinutes: number;
  readonly waitlist: WaitlistPolicy;
  readonly sickDay: SickDayPolicy;
  /** A patient may be checked in from this long before the visit until the end of its date. */
  readonly checkInFromMinutes: number;
  /** A visit whose patient was checked in is completed this long after its end; one that nobody marked is on the day-end list from then on. */
  readonly completionGraceMinutes: number;
  /** For this long after its end, or after it was last marked, what became of a visit can be corrected. */
  readonly correctionDays: number;
}

export interface WaitlistPolicy {
  /** `auto-book` books the best waiting patient at once. */
  readonly mode: 'auto-book';
  /** A freed slot that starts sooner than this goes back to the public at once. */
  readonly stopBeforeMinutes: number;
}

/** What the sick-day command does for a patient, one step after the other until one of them succeeds. */
export const SICK_DAY_STEPS = ['colleague', 'other_day', 'waitlist', 'call'] as const;
export type SickDayStep = (typeof SICK_DAY_STEPS)[number];

export interface SickDayPolicy {
  /** In this order; what is left out is not done. A call task for the desk is always the last resort. */
  readonly steps: readonly SickDayStep[];
  /** How long an offered slot is kept for the patient. */
  readonly offerMinutes: number;
  /** How many days after the visit's own another slot is looked for. */
  readonly searchDays: number;
}

export const DEFAULT_POLICY: ClinicPolicy = {
  reminderOffsets: ['P3D', 'P1D', 'PT2H'],
  reminderGapMinutes: 24 * 60,
  bookingNoticeMinutes: 60,
  bookingHorizonDays: 180,
  moveNoticeMinutes: 0,
  maxMovesPerAppointment: null,
  maxUpcomingPerPatient: null,
  maxUpcomingPerProviderAndPatient: null,
  cancellationNoticeMinutes: 24 * 60,
  slotStepMinutes: 15,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  holdMinutes: 5,
  waitlist: { mode: 'auto-book', stopBeforeMinutes: 120 },
  sickDay: { steps: ['colleague', 'other_day', 'waitlist', 'call'], offerMinutes: 120, searchDays: 14 },
  checkInFromMinutes: 240,
  completionGraceMinutes: 60,
  correctionDays: 7,
};
