import type { OverridableRule, RuleOverride } from '../../domain/override.ts';

/** The rules that staff set aside for one act, and which of them were really in the way. */
export interface Waiver {
  /** For `judgeSlot`. */
  readonly waived: ReadonlySet<OverridableRule>;
  /** The rule refuses: that is the end of it, unless it was set aside. */
  readonly allows: (rule: OverridableRule) => boolean;
  /** Notes what somebody else has found to be in the way and waived. */
  readonly note: (rules: readonly OverridableRule[]) => void;
  /** Those that were in the way. */
  readonly rules: () => readonly OverridableRule[];
  /** What goes into the appointment's row: nothing where nothing was in the way. */
  readonly columns: () => { readonly override_rules: string[]; readonly override_reason: string | null };
  /** What goes into the audit. */
  readonly detail: () => { readonly override?: { readonly rules: readonly string[]; readonly reason: string } };
}

export function createWaiver(override: RuleOverride | undefined): Waiver {
  const waived = new Set(override?.rules);
  const used = new Set<OverridableRule>();
  return {
    waived,
    allows: (rule) => {
      if (waived.has(rule)) used.add(rule);
      return waived.has(rule);
    },
    note: (rules) => {
      for (const rule of rules) used.add(rule);
    },
    rules: () => [...used],
    columns: () => ({
      override_rules: [...used],
      override_reason: used.size === 0 ? null : (override?.reason ?? null),
    }),
    detail: () =>
      used.size === 0 || override === undefined ? {} : { override: { rules: [...used], reason: override.reason } },
  };
}
