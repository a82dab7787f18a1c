import { findPatient, patientsWhere } from '../../db/patients.ts';
import { list, one } from '../read.ts';

export const patientReads = { patient: one('patient', findPatient), patients: list('patients', patientsWhere) };
