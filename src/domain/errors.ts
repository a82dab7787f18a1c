/**
 * The one list of error codes. A code means the same from the database constraint to the Temporal failure type and the HTTP problem document;
 * codes are stable: clients may branch on them.
 */
export const ERROR_CODES = [
  // The request itself
  'validation_failed',
  'malformed_json',
  'body_too_large',
  'unsupported_media_type',
  'method_not_allowed',
  'token_missing',
  'token_invalid',
  'token_expired',
  'forbidden',
  'not_found',
  'precondition_required',
  'version_mismatch',
  'rate_limited',
  'signature_invalid',
  // Idempotency-Key
  'idempotency_in_progress',
  'idempotency_mismatch',
  // Conflicts over time
  'slot_taken',
  'patient_busy',
  // A booking rule refuses
  'in_the_past',
  'too_soon',
  'too_far_ahead',
  'invalid_duration',
  'off_grid',
  'outside_hours',
  'provider_closed',
  'provider_away',
  'day_full',
  'move_too_late',
  'too_many_moves',
  'too_many_upcoming',
  'too_many_upcoming_with_provider',
  // Holds
  'hold_gone',
  'hold_mismatch',
  'hold_already_extended',
  'too_many_holds',
  // Series
  'series_clash',
  // Registrations
  'registration_in_use',
  // Schedules and foreign files
  'calendar_invalid',
  'file_too_costly',
  // The appointment's state refuses
  'appointment_not_scheduled',
  'visit_begun',
  'visit_not_begun',
  'check_in_not_open',
  'check_in_over',
  'already_checked_in',
  'not_checked_in',
  'not_completed',
  'not_marked_no_show',
  'correction_too_late',
  // Waitlist
  'already_waiting',
  'round_closed',
  // Sick days
  'step_not_in_policy',
  'sick_day_ended',
  'replay_ended',
  'offer_closed',
  // Notifications
  'notification_not_failed',
  // EHR
  'ehr_not_configured',
  'ehr_unavailable',
  'ehr_refused',
  // Notification providers and the broker
  'provider_unavailable',
  'provider_refused',
  'broker_unavailable',
  // Our own parts
  'database_unavailable',
  'temporarily_unavailable',
  'internal_error',
] as const;

/** A stable error code. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Why a start, or time of a provider, is not to be had. */
export const SLOT_REFUSALS = [
  'slot_taken',
  'in_the_past',
  'too_soon',
  'too_far_ahead',
  'invalid_duration',
  'off_grid',
  'outside_hours',
  'provider_closed',
  'provider_away',
  'day_full',
] as const satisfies readonly ErrorCode[];

/** Why a patient cannot have a visit there: what is refused of a slot, and what is refused of this patient and their hold. */
export const BOOKING_REFUSALS = [
  ...SLOT_REFUSALS,
  'patient_busy',
  'too_many_upcoming',
  'too_many_upcoming_with_provider',
  'hold_gone',
  'hold_mismatch',
] as const satisfies readonly ErrorCode[];

/** What an error may carry besides its code: ids, codes, counts and instants, never patient data. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/**
 * Every error the application raises on purpose (the specification's AppException).
 * The message is the code: free text is written where the reader is known, in the problem document or the log.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(code, options);
    this.name = 'AppError';
    this.code = code;
    this.detail = detail;
  }
}

/** One date of a series that is not to be had, and why. */
export interface SeriesClash {
  readonly appointmentTime: Date;
  readonly code: ErrorCode;
}

/** A series is booked or moved whole or not at all: this says which of its dates stand in the way. */
export class SeriesClashError extends AppError {
  readonly clashes: readonly SeriesClash[];

  constructor(clashes: readonly SeriesClash[]) {
    super('series_clash', { clashes: clashes.length });
    this.clashes = clashes;
  }
}
