import type { Tx } from './connection.ts';

/** Providers with their clinic's zone, as far as the context sees them. */
export function providersOf(tx: Tx) {
  return tx
    .selectFrom('provider')
    .innerJoin('clinic', 'clinic.clinic_id', 'provider.clinic_id')
    .select([
      'provider.provider_id',
      'provider.clinic_id',
      'provider.name',
      'provider.specialty',
      'provider.max_daily_appointments',
      'provider.created_at',
      'provider.version',
      'clinic.time_zone',
    ]);
}

export function findProvider(tx: Tx, providerId: string) {
  return providersOf(tx).where('provider.provider_id', '=', providerId).executeTakeFirst();
}

export type ProviderRow = NonNullable<Awaited<ReturnType<typeof findProvider>>>;
