import type { Interval } from '../domain/interval.ts';
import { DAY_MS } from '../domain/clock.ts';
import type { Tx } from './connection.ts';

/** A visit that is still to come. */
export interface UpcomingVisit {
  readonly appointmentId: string;
  readonly patientId: string;
  readonly providerId: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly durationMinutes: number;
}

/**
 * The scheduled visits after `now` that can touch `reach` (epoch milliseconds), earliest first: of one provider, or of the whole clinic.
 * Whoever changes a schedule holds the lock under which they are booked.
 */
export async function upcomingVisits(
  tx: Tx,
  whose: { readonly clinicId: string; readonly providerId?: string },
  now: Date,
  reach: Interval,
): Promise<UpcomingVisit[]> {
  let query = tx
    .selectFrom('appointment')
    .select(['appointment_id', 'patient_id', 'provider_id', 'appointment_time', 'duration_minutes'])
    .where('clinic_id', '=', whose.clinicId)
    .where('status', '=', 'SCHEDULED')
    // No visit is longer than a day.
    .where('appointment_time', '>', new Date(Math.max(now.getTime(), reach.from - DAY_MS)))
    .orderBy('appointment_time')
    .orderBy('appointment_id');
  if (whose.providerId !== undefined) query = query.where('provider_id', '=', whose.providerId);
  if (Number.isFinite(reach.to)) query = query.where('appointment_time', '<', new Date(reach.to));
  return (await query.execute()).map((row) => ({
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    providerId: row.provider_id,
    from: row.appointment_time.getTime(),
    durationMinutes: row.duration_minutes,
  }));
}
