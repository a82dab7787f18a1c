import type { Faults } from './faults.ts';

/** Tells the time of the sandbox. Tests may hand in their own. */
export type Clock = () => Date;

/** What every stand-in is given. */
export interface VendorContext {
  clock: Clock;
  faults: Faults;
}
