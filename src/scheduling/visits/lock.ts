import { findAppointment, lockAppointment, type AppointmentRow } from '../../db/appointments.ts';
import { retryTransaction, type Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { lockVisitsOfSeries, visitsOfSeries } from '../../db/series.ts';
import { openOffersFor } from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';

/**
 * The appointment under all the locks that changing its time needs: clinic, its provider, `otherProvider` and whose time it is offered, its patient,
 * then the row.
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
  const providerIds = [seen.provider_id, ...(await offeredProviders(tx, [appointmentId]))];
  if (otherProvider !== undefined) providerIds.push(otherProvider);
  await lockForBooking(tx, { clinicId, providerIds, patientIds: [seen.patient_id] });
  const row = await lockAppointment(tx, appointmentId);
  if (row === undefined) throw new AppError('not_found');
  if (row.provider_id !== seen.provider_id) retryTransaction();
  await retryUnlessLocked(tx, [appointmentId], providerIds);
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
  const visits = await visitsOfSeries(tx, seen.series_id, seen.series_index);
  const ids = visits.map((row) => row.appointment_id);
  const providerIds = [...visits.map((row) => row.provider_id), ...(await offeredProviders(tx, ids))];
  if (otherProvider !== undefined) providerIds.push(otherProvider);
  await lockForBooking(tx, { clinicId, providerIds, patientIds: [seen.patient_id] });
  const [named, ...later] = await lockVisitsOfSeries(tx, seen.series_id, seen.series_index);
  if (named === undefined) throw new AppError('not_found');
  if ([named, ...later].some((row) => !providerIds.includes(row.provider_id))) retryTransaction();
  await retryUnlessLocked(tx, ids, providerIds);
  return { named, later };
}

/**
 * The appointment under the locks that a change of anything but its time needs: of whose time it is offered, as that is given back, then the row.
 * @throws AppError `not_found`
 */
export async function lockToAttend(tx: Tx, clinicId: string, appointmentId: string): Promise<AppointmentRow> {
  const providerIds = await offeredProviders(tx, [appointmentId]);
  if (providerIds.length > 0) await lockForBooking(tx, { clinicId, providerIds, patientIds: [] });
  const row = await lockAppointment(tx, appointmentId);
  if (row === undefined) throw new AppError('not_found');
  await retryUnlessLocked(tx, [appointmentId], providerIds);
  return row;
}

/** Whose time is held for these visits. */
async function offeredProviders(tx: Tx, appointmentIds: readonly string[]): Promise<string[]> {
  return (await openOffersFor(tx, appointmentIds)).map((offer) => offer.provider_id);
}

/** An offer may have been made while the locks were waited for; none is made from here on, as that takes the appointment's row. */
async function retryUnlessLocked(
  tx: Tx,
  appointmentIds: readonly string[],
  providerIds: readonly string[],
): Promise<void> {
  if ((await offeredProviders(tx, appointmentIds)).some((id) => !providerIds.includes(id))) retryTransaction();
}
