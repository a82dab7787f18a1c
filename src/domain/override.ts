import { OVERRIDABLE_SLOT_RULES } from './availability.ts';
import type { ErrorCode } from './errors.ts';

/** The booking rules that staff may set aside on purpose, by the codes they refuse with. */
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
