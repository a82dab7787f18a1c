import { audit } from '../../db/audit.ts';
import { inContext } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import {
  factsOf,
  findPatient,
  insertRegisteredPatient,
  lockPatient,
  updatePatient,
  type PatientFacts,
  type PatientRow,
} from '../../db/patients.ts';
import { AppError } from '../../domain/errors.ts';
import { doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { differenceFrom } from './difference.ts';

/*
 * What is known of a patient appears in no audit, log or error: the audit names the fields that changed, never their values.
 */

/**
 * A person who is new to the clinic, and their registration there. Somebody whom another clinic knows is entered anew: nothing tells who is known where.
 * @throws AppError `idempotency_in_progress`, `idempotency_mismatch`, `not_found` when the patient of an earlier request is no longer registered
 */
export function createPatient(
  deps: SchedulingDeps,
  act: Act,
  patient: PatientFacts,
  idempotency: Idempotency | undefined,
): Promise<{ readonly patient: PatientRow; readonly replayed: boolean }> {
  // Kept under the key is the id alone: the patient's data lives in one table.
  return doorOnce(
    deps,
    act,
    idempotency,
    async (tx) => {
      const newId = deps.newId();
      await insertRegisteredPatient(tx, newId, patient);
      await audit(tx, act, 'patient', newId, 'created', { version: 1 });
      return { patientId: newId };
    },
    async (tx, { patientId, replayed }) => {
      const row = await findPatient(tx, patientId);
      if (row === undefined) throw new AppError('not_found');
      return { patient: row, replayed };
    },
  );
}

/** Who changes a patient: staff of a clinic where the patient is registered or, without a clinic, the patient. */
export type PatientAct = Omit<Act, 'clinicId'> & { readonly clinicId?: string };

export interface PatientChange {
  readonly patientId: string;
  readonly expectedVersion: number;
  /** What is left out stays as it is. */
  readonly facts: Partial<PatientFacts>;
}

/** @throws AppError `not_found`, `version_mismatch` */
export function changePatient(deps: SchedulingDeps, act: PatientAct, change: PatientChange): Promise<PatientRow> {
  const { patientId } = change;
  const context = act.clinicId === undefined ? { patientId } : { clinicId: act.clinicId };
  return inContext(deps.connection.db, context, async (tx) => {
    const before = await lockPatient(tx, patientId);
    if (before === undefined) throw new AppError('not_found');
    if (before.version !== change.expectedVersion) throw new AppError('version_mismatch', { version: before.version });
    const changed = differenceFrom(factsOf(before), change.facts);
    if (Object.keys(changed).length === 0) return before;
    const after = await updatePatient(tx, patientId, changed);
    await audit(tx, act, 'patient', patientId, 'changed', { version: after.version, changed: Object.keys(changed) });
    return after;
  });
}
