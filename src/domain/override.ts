import type { ErrorCode } from './errors.ts';

/**
 * The rules of `judgeSlot` that staff may set aside on purpose, by the codes they refuse with. The past, an impossible length and another's time
 * are no rules.
 */
export const OVERRIDABLE_SLOT_RULES = [
  'too_soon',
  'too_far_ahead',
  'outside_hours',
  'provider_closed',
  'provider_away',
  'off_grid',
  'day_full',
] as const satisfies readonly ErrorCode[];
export type OverridableSlotRule = (typeof OVERRIDABLE_SLOT_RULES)[number];

export const OVERRIDABLE_RULES = [
  ...OVERRIDABLE_SLOT_RULES,
  'move_too_late',
  'too_many_moves',
  'too_many_upcoming',
  'too_many_upcoming_with_provider',
] as const satisfies readonly ErrorCode[];
export type OverridableRule = (typeof OVERRIDABLE_RULES)[number];

/** What a member of staff sets aside, and why: it is audited and shown with the appointment. */
export interface RuleOverride {
  readonly rules: readonly OverridableRule[];
  readonly reason: string;
}
