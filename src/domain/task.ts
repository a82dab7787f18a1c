/* What a person must do. */

export const TASK_KINDS = ['call'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export const TASK_STATES = ['OPEN', 'RESOLVED'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Why the desk has to call: with the first two the patient cannot be reached in another way. */
export const CALL_REASONS = [
  'no_contact',
  'message_failed',
  'starts_soon',
  'not_accepted',
  'no_slot',
  'error',
] as const;
export type CallReason = (typeof CALL_REASONS)[number];

/** What came of a call. */
export const CALL_OUTCOMES = ['moved', 'cancelled', 'waitlisted', 'kept', 'not_reached'] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];
