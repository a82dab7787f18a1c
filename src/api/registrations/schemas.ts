import { Type, type Static } from 'typebox';
import type { RegistrationRow } from '../../db/patients.ts';
import { Instant, instantText, Strict, Uuid } from '../schemas.ts';

export const RegistrationPath = Strict({ clinicId: Uuid('The clinic.'), patientId: Uuid('The patient.') });

const PROPERTIES = {
  clinicId: Uuid('Where.'),
  patientId: Uuid('Who.'),
  registeredAt: Instant('Since when the clinic sees the patient.'),
};

export const Registered = Type.Object(PROPERTIES, { description: 'Registered by this request.' });
export const RegisteredBefore = Type.Object(PROPERTIES, { description: 'Registered before: nothing has changed.' });

export function registrationBody(row: RegistrationRow): Static<typeof Registered> {
  return { clinicId: row.clinic_id, patientId: row.patient_id, registeredAt: instantText(row.created_at) };
}
