import { describe, expect, it } from '@jest/globals';
import { createWaiver } from '../../../src/scheduling/visits/waiver.ts';

describe('what staff set aside', () => {
  const override = { rules: ['day_full', 'off_grid', 'move_too_late'], reason: 'an emergency' } as const;

  it('is written down where it was in the way, and only that', () => {
    const waiver = createWaiver(override);
    expect(waiver.allows('day_full')).toBe(true);
    expect(waiver.allows('too_soon')).toBe(false);
    waiver.note(['off_grid', 'off_grid']);
    expect(waiver.rules()).toEqual(['day_full', 'off_grid']);
    expect(waiver.columns()).toEqual({ override_rules: ['day_full', 'off_grid'], override_reason: 'an emergency' });
    expect(waiver.detail()).toEqual({ override: { rules: ['day_full', 'off_grid'], reason: 'an emergency' } });
  });

  it('leaves nothing behind where nothing was in the way', () => {
    const waiver = createWaiver(override);
    expect(waiver.allows('too_soon')).toBe(false);
    expect(waiver.columns()).toEqual({ override_rules: [], override_reason: null });
    expect(waiver.detail()).toEqual({});
  });

  it('is nothing without an override', () => {
    const waiver = createWaiver(undefined);
    expect(waiver.allows('day_full')).toBe(false);
    expect(waiver.columns()).toEqual({ override_rules: [], override_reason: null });
  });
});
