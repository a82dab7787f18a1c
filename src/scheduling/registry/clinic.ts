import { audit } from '../../db/audit.ts';
import { findClinic, type ClinicRow } from '../../db/clinics.ts';
import type { Tx } from '../../db/connection.ts';
import { lockClinic } from '../../db/locks.ts';
import { AppError } from '../../domain/errors.ts';
import { policyFaults } from '../../domain/policy-faults.ts';
import type { ClinicPolicy } from '../../domain/policy.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { differenceFrom } from './difference.ts';
import { affectedOfClinic } from '../schedule/affected-visits.ts';
import type { ScheduleChanged } from '../schedule/hours.ts';
import { withdrawRefusedOffers } from '../claims/withdraw-offers.ts';

export interface ClinicChange {
  readonly expectedVersion: number;
  /** What is left out stays as it is. */
  readonly name?: string | undefined;
  /** Whom messages ask to call, in E.164; null: nobody. */
  readonly phone?: string | null | undefined;
  /** IANA. Booked visits keep their instants; hours, breaks and closures are read on the new wall clock. */
  readonly timeZone?: string | undefined;
}

/** Renames a clinic, gives it another phone or moves it to another zone; visits that are booked stay. @throws AppError `not_found`, `version_mismatch` */
export function changeClinic(
  deps: SchedulingDeps,
  act: Act,
  change: ClinicChange,
): Promise<ClinicRow & ScheduleChanged> {
  return door(deps, act, async (tx) => {
    const before = await lockedClinic(tx, act.clinicId);
    const { expectedVersion, ...wanted } = change;
    if (before.version !== expectedVersion) throw new AppError('version_mismatch', { version: before.version });
    const changed = differenceFrom({ name: before.name, phone: before.phone, timeZone: before.time_zone }, wanted);
    if (Object.keys(changed).length === 0) return { ...before, affectedAppointments: 0 };
    const { timeZone } = changed;
    const affected =
      timeZone === undefined
        ? []
        : (await affectedOfClinic(tx, act.clinicId, { kind: 'zone', timeZone }, act.now)).affected;
    const after = await tx
      .updateTable('clinic')
      .set({
        name: changed.name ?? before.name,
        phone: changed.phone === undefined ? before.phone : changed.phone,
        time_zone: timeZone ?? before.time_zone,
      })
      .where('clinic_id', '=', act.clinicId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await withdrawRefusedOffers(tx, act);
    await audit(tx, act, 'clinic', act.clinicId, 'changed', {
      version: after.version,
      changed: Object.keys(changed),
      ...(timeZone === undefined ? {} : { affected: affected.length }),
    });
    return { ...after, affectedAppointments: affected.length };
  });
}

export interface PolicyChange {
  /** The policy_version that was read. */
  readonly expectedVersion: number;
  /** The whole document. */
  readonly policy: ClinicPolicy;
}

/**
 * Replaces a clinic's policy. Whatever was judged under the old one is either committed before or judged again: bookings compare `policy_version` under
 * the clinic's shared lock. Booked visits keep the version they were promised until they are moved.
 *
 * @throws AppError `not_found`, `version_mismatch`, `validation_failed` (see `policyFaults`)
 */
export function changePolicy(deps: SchedulingDeps, act: Act, change: PolicyChange): Promise<ClinicRow> {
  return door(deps, act, async (tx) => {
    if (policyFaults(change.policy).length > 0) throw new AppError('validation_failed');
    const before = await lockedClinic(tx, act.clinicId);
    if (before.policy_version !== change.expectedVersion) {
      throw new AppError('version_mismatch', { version: before.policy_version });
    }
    const changed = Object.keys(differenceFrom(before.policy, change.policy));
    if (changed.length === 0) return before;
    const after = await tx
      .updateTable('clinic')
      .set({ policy: JSON.stringify(change.policy) })
      .where('clinic_id', '=', act.clinicId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await withdrawRefusedOffers(tx, act);
    await audit(tx, act, 'clinic', act.clinicId, 'policy_changed', { policyVersion: after.policy_version, changed });
    return after;
  });
}

async function lockedClinic(tx: Tx, clinicId: string): Promise<ClinicRow> {
  await lockClinic(tx, clinicId);
  const clinic = await findClinic(tx, clinicId);
  if (clinic === undefined) throw new AppError('not_found');
  return clinic;
}
