import { aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import type { Connection } from '../../../src/db/connection.ts';

/** Half-hours of a provider of the builders, who works from 08:00 to 18:00. */
const HALF_HOURS_A_DAY = 20;
/** Beyond every notice. */
const FIRST_DAY = 3;

/** The nth half-hour of a provider. */
export function halfHour(clinic: Clinic, n: number): Date {
  const minutes = 8 * 60 + (n % HALF_HOURS_A_DAY) * 30;
  const time = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  return slotAt(clinic, FIRST_DAY + Math.floor(n / HALF_HOURS_A_DAY), time);
}

export function providersOf(owner: Connection, clinic: Clinic, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => aProvider(owner, clinic)));
}

export function patientsOf(owner: Connection, clinic: Clinic, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => aPatient(owner, clinic)));
}
