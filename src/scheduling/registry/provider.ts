import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockForBooking } from '../../db/locks.ts';
import { findProvider, type ProviderRow } from '../../db/providers.ts';
import { AppError } from '../../domain/errors.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { differenceFrom } from './difference.ts';

export interface NewProvider {
  readonly name: string;
  readonly specialty: string;
  readonly maxDailyAppointments: number;
}

/** A new provider, with no hours yet: nobody can book until there are some. @throws AppError `not_found`, `idempotency_in_progress`, `idempotency_mismatch` */
export function createProvider(
  deps: SchedulingDeps,
  act: Act,
  provider: NewProvider,
  idempotency: Idempotency | undefined,
): Promise<{ readonly provider: ProviderRow; readonly replayed: boolean }> {
  return doorOnce(
    deps,
    act,
    idempotency,
    async (tx) => {
      const newId = deps.newId();
      await tx
        .insertInto('provider')
        .values({
          provider_id: newId,
          clinic_id: act.clinicId,
          name: provider.name,
          specialty: provider.specialty,
          max_daily_appointments: provider.maxDailyAppointments,
        })
        .execute();
      await audit(tx, act, 'provider', newId, 'created', { version: 1 });
      return { providerId: newId };
    },
    async (tx, { providerId, replayed }) => ({ provider: await seen(tx, providerId), replayed }),
  );
}

export interface ProviderChange {
  readonly providerId: string;
  readonly expectedVersion: number;
  /** What is left out stays as it is. */
  readonly name?: string | undefined;
  readonly specialty?: string | undefined;
  /** A lower limit leaves booked visits alone: the day is full until it is below the limit again. */
  readonly maxDailyAppointments?: number | undefined;
}

/** @throws AppError `not_found`, `version_mismatch` */
export function changeProvider(deps: SchedulingDeps, act: Act, change: ProviderChange): Promise<ProviderRow> {
  const { providerId, expectedVersion, ...wanted } = change;
  return door(deps, act, async (tx) => {
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [] });
    const before = await seen(tx, providerId);
    if (before.version !== expectedVersion) throw new AppError('version_mismatch', { version: before.version });
    const { name, specialty, max_daily_appointments: maxDailyAppointments } = before;
    const there: NewProvider = { name, specialty, maxDailyAppointments };
    const changed = differenceFrom(there, wanted);
    if (Object.keys(changed).length === 0) return before;
    const whole = { ...there, ...changed };
    await tx
      .updateTable('provider')
      .set({
        name: whole.name,
        specialty: whole.specialty,
        max_daily_appointments: whole.maxDailyAppointments,
      })
      .where('provider_id', '=', providerId)
      .execute();
    const after = await seen(tx, providerId);
    await audit(tx, act, 'provider', providerId, 'changed', { version: after.version, changed: Object.keys(changed) });
    return after;
  });
}

async function seen(tx: Tx, providerId: string): Promise<ProviderRow> {
  const provider = await findProvider(tx, providerId);
  if (provider === undefined) throw new AppError('not_found');
  return provider;
}
