import { lockVisits, type LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
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
): Promise<LockedVisit> {
  const providerIds = otherProvider === undefined ? [] : [otherProvider];
  const [visit] = await lockVisits(tx, clinicId, appointmentId, { ofTime: true, providerIds });
  return visit ?? notFound();
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
): Promise<{ readonly named: LockedVisit; readonly later: LockedVisit[] }> {
  const providerIds = otherProvider === undefined ? [] : [otherProvider];
  const [named, ...later] = await lockVisits(tx, clinicId, appointmentId, {
    withLater: true,
    ofTime: true,
    providerIds,
  });
  return { named: named ?? notFound(), later };
}

/**
 * The appointment under the locks that a change of anything but its time needs: of whose time it is offered, as that is given back, then the row.
 * @throws AppError `not_found`
 */
export async function lockToAttend(tx: Tx, clinicId: string, appointmentId: string): Promise<LockedVisit> {
  const [visit] = await lockVisits(tx, clinicId, appointmentId, { ofTime: false });
  return visit ?? notFound();
}

function notFound(): never {
  throw new AppError('not_found');
}
