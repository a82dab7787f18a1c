import { policyOf, type AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { sharedNotice } from '../../db/series.ts';
import { decideTransition, type AppointmentChange, type TransitionDecision } from '../../domain/appointment.ts';
import { AppError } from '../../domain/errors.ts';
import { isProviderAbsent } from './absent-provider.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { stateOf } from './attend.ts';
import { cancelledBy, recordCancelling, type Cancellation } from './cancel.ts';
import { lockWithLaterVisits } from './lock.ts';

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
    const decision = await decide(tx, act, named, cancellation);
    const { expectedVersion } = cancellation;
    if (decision.decision !== 'nothing' && expectedVersion !== undefined && expectedVersion !== named.version) {
      throw new AppError('version_mismatch', { version: named.version });
    }
    if (decision.decision === 'refuse') throw new AppError(decision.code);

    const allowed: { readonly before: AppointmentRow; readonly change: AppointmentChange }[] = [];
    if (decision.decision === 'apply') allowed.push({ before: named, change: decision.change });
    for (const before of later) {
      const ofLater = await decide(tx, act, before, cancellation);
      if (ofLater.decision === 'apply') allowed.push({ before, change: ofLater.change });
    }
    const told = allowed.map(({ before }) => toTellOf(before));
    for (const { before, change } of allowed) {
      if (change.event !== 'cancelled') throw new AppError('internal_error');
      await recordCancelling(deps, tx, act, before, change, sharedNotice(told, toTellOf(before)));
    }
    return { cancelled: allowed.length };
  });
}

async function decide(tx: Tx, act: Act, visit: AppointmentRow, { reason }: Cancellation): Promise<TransitionDecision> {
  const policy = await policyOf(tx, act.clinicId, visit.policy_version);
  const providerAbsent = await isProviderAbsent(tx, visit);
  const wanted = { kind: 'cancel', reason, by: cancelledBy(act), providerAbsent } as const;
  return decideTransition(stateOf(visit), wanted, act.now.getTime(), policy);
}

function toTellOf({ appointment_id: appointmentId, provider_id: providerId }: AppointmentRow) {
  return { appointmentId, providerId };
}
