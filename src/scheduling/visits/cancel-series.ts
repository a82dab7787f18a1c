import type { LockedVisit } from '../../db/appointments.ts';
import { AppError } from '../../domain/errors.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { decideCancelling, recordCancelling, type Cancellation } from './cancel.ts';
import { lockWithLaterVisits } from './lock.ts';
import { sharedNotice } from './series-notice.ts';

/**
 * Cancels a visit and the later ones of its series, in one transaction; the patient is told once. Later visits that are over or cancelled already stay
 * as they are, so repeating it changes nothing; and if the visit itself is cancelled already, those after it still are.
 *
 * @throws AppError `not_found`, `version_mismatch`, `visit_begun`, `appointment_not_scheduled`
 */
export function cancelSeries(
  deps: SchedulingDeps,
  act: Act,
  cancellation: Cancellation,
): Promise<{ readonly cancelled: number }> {
  return door(deps, act, async (tx) => {
    const { named, later } = await lockWithLaterVisits(tx, act.clinicId, cancellation.appointmentId);
    const decision = await decideCancelling(deps, tx, act, named, cancellation);
    const { version } = named.row;
    const { expectedVersion } = cancellation;
    if (decision.decision !== 'nothing' && expectedVersion !== undefined && expectedVersion !== version) {
      throw new AppError('version_mismatch', { version });
    }
    if (decision.decision === 'refuse') throw new AppError(decision.code);

    const allowed = decision.decision === 'apply' ? [{ visit: named, change: decision.change }] : [];
    for (const visit of later) {
      const ofLater = await decideCancelling(deps, tx, act, visit, cancellation);
      if (ofLater.decision === 'apply') allowed.push({ visit, change: ofLater.change });
    }
    const told = allowed.map(({ visit }) => toTellOf(visit));
    for (const { visit, change } of allowed) {
      await recordCancelling(deps, tx, act, visit, change, sharedNotice(told, toTellOf(visit)));
    }
    return { cancelled: allowed.length };
  });
}

function toTellOf({ row }: LockedVisit) {
  return { appointmentId: row.appointment_id, providerId: row.provider_id };
}
