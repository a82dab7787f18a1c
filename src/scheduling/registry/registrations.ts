import { recordAudit } from '../../db/audit.ts';
import { inContext, type Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { deleteRegistration, findRegistration, insertRegistration, type RegistrationRow } from '../../db/patients.ts';
import { AppError } from '../../domain/errors.ts';
import type { Act, SchedulingDeps } from '../act.ts';

interface Registrant {
  readonly patientId: string;
}

/** Makes a patient visible to a clinic, at the patient's own wish. Registered twice is registered once. @throws AppError `not_found` */
export function registerPatient(
  deps: SchedulingDeps,
  act: Act,
  { patientId }: Registrant,
): Promise<{ readonly registration: RegistrationRow; readonly created: boolean }> {
  return inContext(deps.connection.db, { clinicId: act.clinicId }, async (tx) => {
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [], patientIds: [patientId] });
    const created = await insertRegistration(tx, { clinicId: act.clinicId, patientId });
    if (created !== undefined) {
      await auditRegistration(tx, act, patientId, 'registered');
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
  return inContext(deps.connection.db, { clinicId: act.clinicId }, async (tx) => {
    // The patient's lock: a booking either refers to the registration by now, or makes its own.
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [], patientIds: [patientId] });
    if (!(await deleteRegistration(tx, { clinicId: act.clinicId, patientId }))) throw new AppError('not_found');
    await auditRegistration(tx, act, patientId, 'registration_ended');
  });
}

function auditRegistration(tx: Tx, act: Act, patientId: string, action: string): Promise<void> {
  return recordAudit(tx, {
    clinicId: act.clinicId,
    entity: 'patient',
    entityId: patientId,
    action,
    actor: act.actor,
    requestId: act.requestId,
  });
}
