import { findAppointment, lockAppointment, type AppointmentRow } from '../db/appointments.ts';
import { retryTransaction, type Tx } from '../db/connection.ts';
import { lockForBooking } from '../db/locks.ts';
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
