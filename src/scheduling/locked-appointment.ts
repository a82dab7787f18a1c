import { findAppointment, lockAppointment, type AppointmentRow } from '../db/appointments.ts';
import { retryTransaction, type Tx } from '../db/connection.ts';
import { lockForBooking } from '../db/locks.ts';
import { lockVisitsOfSeries, visitsOfSeries } from '../db/series.ts';
import { AppError } from '../domain/errors.ts';

/**
 * The appointment under all the locks that changing its time needs: clinic, its provider and `otherProvider`, its patient, then the row.
 * @throws AppError `not_found`
 */
export async function lockWithResources(
  tx: Tx,
  clinicId: string,
  appointmentId: string,
  otherProvider?: string,
): Promise<AppointmentRow> {
  const seen = await findAppointment(tx, appointmentId);
  if (seen === undefined) throw new AppError('not_found');
  await lockForBooking(tx, {
    clinicId,
    providerIds: otherProvider === undefined ? [seen.provider_id] : [seen.provider_id, otherProvider],
    patientIds: [seen.patient_id],
  });
  const row = await lockAppointment(tx, appointmentId);
  if (row === undefined) throw new AppError('not_found');
  if (row.provider_id !== seen.provider_id) retryTransaction();
  return row;
}

/**
 * The appointment and the later visits of its series, whatever became of them, under all the locks that changing their times needs; alone when it
 * belongs to none.
 * @throws AppError `not_found`
 */
export async function lockWithLaterVisits(
  tx: Tx,
  clinicId: string,
  appointmentId: string,
  otherProvider?: string,
): Promise<{ readonly named: AppointmentRow; readonly later: AppointmentRow[] }> {
  const seen = await findAppointment(tx, appointmentId);
  if (seen === undefined) throw new AppError('not_found');
  if (seen.series_id === null || seen.series_index === null) {
    return { named: await lockWithResources(tx, clinicId, appointmentId, otherProvider), later: [] };
  }
  const providers = (await visitsOfSeries(tx, seen.series_id, seen.series_index)).map((row) => row.provider_id);
  const providerIds = otherProvider === undefined ? providers : [...providers, otherProvider];
  await lockForBooking(tx, { clinicId, providerIds, patientIds: [seen.patient_id] });
  const [named, ...later] = await lockVisitsOfSeries(tx, seen.series_id, seen.series_index);
  if (named === undefined) throw new AppError('not_found');
  if ([named, ...later].some((row) => !providerIds.includes(row.provider_id))) retryTransaction();
  return { named, later };
}
