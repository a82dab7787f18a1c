import { audit } from '../../db/audit.ts';
import { lockForBooking } from '../../db/locks.ts';
import { deleteRegistration, findRegistration, insertRegistration, type RegistrationRow } from '../../db/patients.ts';
import { AppError } from '../../domain/errors.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';

interface Registrant {
  readonly patientId: string;
}

/** Makes a patient visible to a clinic, at the patient's own wish. Registered twice is registered once. @throws AppError `not_found` */
export function registerPatient(
  deps: SchedulingDeps,
  act: Act,
  { patientId }: Registrant,
): Promise<{ readonly registration: RegistrationRow; readonly created: boolean }> {
  return door(deps, act, async (tx) => {
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [], patientIds: [patientId] });
    const created = await insertRegistration(tx, { clinicId: act.clinicId, patientId });
    if (created !== undefined) {
      await audit(tx, act, 'patient', patientId, 'registered');
      return { registration: created, created: true };
    }
    const known = await findRegistration(tx, patientId);
    if (known === undefined) throw new AppError('internal_error');
    return { registration: known, created: false };
  });
}

/**
 * The clinic no longer sees the patient. Only while nothing at the clinic refers to the registration: what took place there stays explicable.
 * @throws AppError `not_found`, `registration_in_use`
 */
export function endRegistration(deps: SchedulingDeps, act: Act, { patientId }: Registrant): Promise<void> {
  return door(deps, act, async (tx) => {
    // The patient's lock: a booking either refers to the registration by now, or makes its own.
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [], patientIds: [patientId] });
    if (!(await deleteRegistration(tx, { clinicId: act.clinicId, patientId }))) throw new AppError('not_found');
    await audit(tx, act, 'patient', patientId, 'registration_ended');
  });
}
