import type { AppointmentFacts } from '../../../src/integrations/fhir/appointment-resource.ts';

export const APPOINTMENT_ID = '019a8f00-0000-7000-8000-000000000001';

/** A visit of half an hour, scheduled and not begun. */
export function facts(given: Partial<AppointmentFacts> = {}): AppointmentFacts {
  return {
    appointmentId: APPOINTMENT_ID,
    patientId: '019a8f00-0000-7000-8000-00000000000a',
    providerId: '019a8f00-0000-7000-8000-00000000000b',
    clinicId: '019a8f00-0000-7000-8000-00000000000c',
    appointmentTime: new Date('2027-03-15T09:00:00Z'),
    durationMinutes: 30,
    status: 'SCHEDULED',
    checkedInAt: null,
    cancelledBy: null,
    cancelReason: null,
    createdAt: new Date('2027-03-01T12:34:56.789Z'),
    version: 1,
    ...given,
  };
}
