import type { ClinicPolicy } from './policy.ts';
import { DAY_MS, MINUTE_MS } from './clock.ts';
import { minusPeriod } from './time-zone.ts';

/** What is wrong with a policy. `pointer` is the field's JSON pointer in the document (RFC 6901). */
export interface PolicyFault {
  readonly pointer: string;
  readonly rule: 'format' | 'minimum' | 'maximum' | 'uniqueItems' | 'divisor' | 'range';
}

/** Nobody comes sooner than this after a reminder, or remembers it for longer. */
const SHORTEST_REMINDER_MS = 15 * MINUTE_MS;
const LONGEST_REMINDER_MS = 90 * DAY_MS;
/** Any day without a clock change nearby: periods are compared by their ordinary length. */
const ORDINARY_DAY = Date.UTC(2025, 0, 15);

/**
 * What no schema can say about a policy: reminders that parse, that lie in time and differ from each other; a grid that fits into a day; bookings that can
 * be made at all. An empty list is a policy a clinic can work with.
 */
export function policyFaults(policy: ClinicPolicy): PolicyFault[] {
  const faults = reminderFaults(policy.reminderOffsets);
  if (!Number.isInteger(DAY_MS / (policy.slotStepMinutes * MINUTE_MS))) {
    faults.push({ pointer: '/slotStepMinutes', rule: 'divisor' });
  }
  if (policy.bookingNoticeMinutes * MINUTE_MS >= policy.bookingHorizonDays * DAY_MS) {
    faults.push({ pointer: '/bookingNoticeMinutes', rule: 'range' });
  }
  if (new Set(policy.sickDay.steps).size < policy.sickDay.steps.length) {
    faults.push({ pointer: '/sickDay/steps', rule: 'uniqueItems' });
  }
  return faults;
}

function reminderFaults(offsets: readonly string[]): PolicyFault[] {
  const lengths = offsets.map(lengthOf);
  const faults = lengths.flatMap((length, index): PolicyFault[] => {
    const pointer = `/reminderOffsets/${String(index)}`;
    if (length === undefined) return [{ pointer, rule: 'format' }];
    if (length < SHORTEST_REMINDER_MS) return [{ pointer, rule: 'minimum' }];
    return length > LONGEST_REMINDER_MS ? [{ pointer, rule: 'maximum' }] : [];
  });
  // P1D and PT24H would remind twice at the same moment.
  if (new Set(lengths).size < lengths.length) faults.push({ pointer: '/reminderOffsets', rule: 'uniqueItems' });
  return faults;
}

/** How long a period is on an ordinary day, in milliseconds; undefined when it is none. */
function lengthOf(period: string): number | undefined {
  try {
    return ORDINARY_DAY - minusPeriod('UTC', ORDINARY_DAY, period);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
