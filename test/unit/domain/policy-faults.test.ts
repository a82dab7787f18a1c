import { describe, expect, it } from '@jest/globals';
import { policyFaults } from '../../../src/domain/policy-faults.ts';
import { DEFAULT_POLICY, type ClinicPolicy } from '../../../src/domain/policy.ts';

const faultsOf = (change: Partial<ClinicPolicy>) => policyFaults({ ...DEFAULT_POLICY, ...change });

describe('a policy', () => {
  it('is sound as every clinic starts with it, without reminders, and at its bounds', () => {
    for (const change of [
      {},
      { reminderOffsets: [] },
      { reminderOffsets: ['P90D', 'P2W', 'P1DT12H', 'PT15M'] },
      { slotStepMinutes: 1_440 },
      { slotStepMinutes: 5 },
      { bookingNoticeMinutes: 24 * 60 - 1, bookingHorizonDays: 1 },
      { sickDay: { steps: [], offerMinutes: 5, searchDays: 1 } },
    ]) {
      expect(faultsOf(change)).toEqual([]);
    }
  });

  it.each([
    ['PT14M', 'minimum'],
    ['PT0S', 'minimum'],
    ['-P1D', 'minimum'],
    ['P91D', 'maximum'],
    ['P4M', 'maximum'],
    ['P', 'format'],
    ['3 days', 'format'],
    ['P1,D', 'format'],
    ['PT', 'format'],
    ['P99999999999999D', 'format'],
  ])('does not remind %s before a visit', (offset, rule) => {
    expect(faultsOf({ reminderOffsets: ['P1D', offset] })).toEqual([{ pointer: '/reminderOffsets/1', rule }]);
  });

  it.each([[['P1D', 'PT24H']], [['P7D', 'P1W']], [['PT2H', 'PT120M']], [['P1D', 'P1D']]])(
    'does not remind twice at one moment: %j',
    (reminderOffsets) => {
      expect(faultsOf({ reminderOffsets })).toEqual([{ pointer: '/reminderOffsets', rule: 'uniqueItems' }]);
    },
  );

  it.each([7, 11, 25, 1_441])('has no grid of %d minutes, which does not divide a day', (slotStepMinutes) => {
    expect(faultsOf({ slotStepMinutes })).toEqual([{ pointer: '/slotStepMinutes', rule: 'divisor' }]);
  });

  it('leaves time between its notice and its horizon', () => {
    expect(faultsOf({ bookingNoticeMinutes: 2 * 24 * 60, bookingHorizonDays: 2 })).toEqual([
      { pointer: '/bookingNoticeMinutes', rule: 'range' },
    ]);
  });

  it('does nothing twice on a sick day', () => {
    expect(faultsOf({ sickDay: { steps: ['call', 'waitlist', 'call'], offerMinutes: 60, searchDays: 7 } })).toEqual([
      { pointer: '/sickDay/steps', rule: 'uniqueItems' },
    ]);
  });

  it('tells everything that is wrong with it', () => {
    expect(faultsOf({ reminderOffsets: ['x', 'PT1M'], slotStepMinutes: 7 }).map(({ pointer }) => pointer)).toEqual([
      '/reminderOffsets/0',
      '/reminderOffsets/1',
      '/slotStepMinutes',
    ]);
  });
});
