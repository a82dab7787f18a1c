import type { Tx } from '../../db/connection.ts';
import { resolveClaims } from '../../db/offers.ts';
import type { Act } from '../act.ts';

/**
 * The sick day's face to the rest: a visit that something was open about has been changed. Offers for it are taken back and their sick days told, items
 * are off their lists, and calls are resolved, once it is cancelled, has been moved out of the absence or has begun. In the transaction of the change,
 * under the locks of `visits/lock.ts`; one statement.
 */
export function visitChanged(tx: Tx, act: Act, appointmentId: string): Promise<void> {
  return resolveClaims(tx, act, appointmentId);
}
