import { describe, expect, it } from '@jest/globals';
import { ROLES, type Caller, type Role } from '../../../src/api/authentication.ts';
import {
  actorOf,
  assertOwnPatient,
  authorize,
  clinicFor,
  namedClinic,
  OPERATIONS,
  rowsOf,
  SCOPES,
  type Operation,
} from '../../../src/api/authorization.ts';
import { CLINIC, OTHER_CLINIC, OTHER_PATIENT, PATIENT, PROVIDER } from './api-under-test.ts';

const operations = Object.keys(OPERATIONS) as Operation[];

function caller(role: Role, given: Partial<Caller> = {}): Caller {
  return {
    subject: `${role}-1`,
    role,
    scopes: new Set(SCOPES),
    ...(role === 'patient' ? { patientId: PATIENT } : {}),
    ...(role === 'provider' ? { providerId: PROVIDER, clinicId: CLINIC } : {}),
    ...(role === 'clinic_admin' ? { clinicId: CLINIC } : {}),
    ...given,
  };
}

/** Written out by hand, so that a slip in the table is seen. */
const MAY: Record<Role, Partial<Record<Operation, 'own' | 'clinic' | 'any'>>> = {
  patient: {
    searchAvailability: 'any',
    listProviders: 'any',
    readProvider: 'any',
    bookAppointment: 'own',
    bookAppointmentSeries: 'own',
    readAppointmentSeries: 'own',
    moveAppointment: 'own',
    cancelAppointment: 'own',
    readAppointment: 'own',
    listAppointments: 'own',
    readTimeline: 'own',
    placeHold: 'own',
    readHold: 'own',
    extendHold: 'own',
    releaseHold: 'own',
    joinWaitlist: 'own',
    listWaitlist: 'own',
    leaveWaitlist: 'own',
    listOffers: 'own',
    readOffer: 'own',
    answerOffer: 'own',
    listClinics: 'own',
    readClinic: 'any',
    readPatient: 'own',
    changePatient: 'own',
    registerPatient: 'own',
    endRegistration: 'own',
  },
  provider: {
    searchAvailability: 'clinic',
    listProviders: 'clinic',
    readProvider: 'clinic',
    readAppointment: 'clinic',
    readAppointmentSeries: 'clinic',
    listAppointments: 'clinic',
    readSchedule: 'clinic',
    changeSchedule: 'own',
    readTimeline: 'clinic',
    listUnmarkedVisits: 'own',
    attendAppointment: 'own',
    callInSick: 'own',
    listSickDays: 'own',
    readSickDay: 'own',
    controlSickDay: 'own',
    listOffers: 'clinic',
    readOffer: 'clinic',
    listTasks: 'clinic',
    listClinics: 'clinic',
    readClinic: 'clinic',
    readPolicy: 'clinic',
    listPatients: 'clinic',
    readPatient: 'clinic',
  },
  // Everything at their clinic, but that patients register themselves.
  clinic_admin: Object.fromEntries(
    operations.filter((operation) => operation !== 'registerPatient').map((operation) => [operation, 'clinic']),
  ),
  support: {
    readTimeline: 'clinic',
    readNotifications: 'clinic',
    replayNotifications: 'clinic',
    readReplay: 'clinic',
  },
  operator: { syncEhr: 'clinic' },
};

describe.each(ROLES)('a %s with every scope', (role) => {
  it.each(operations)('%s', (operation) => {
    const expected = MAY[role][operation];
    if (expected === undefined) expect(() => authorize(caller(role), operation)).toThrow('forbidden');
    else expect(authorize(caller(role), operation)).toBe(expected);
  });
});

describe.each(operations)('%s', (operation) => {
  it('is refused to every role without its scope', () => {
    const needed = new Set<string>(OPERATIONS[operation].scopes);
    const others = new Set(SCOPES.filter((scope) => !needed.has(scope)));
    for (const role of ROLES) expect(() => authorize(caller(role, { scopes: others }), operation)).toThrow('forbidden');
  });
});

describe('whose things', () => {
  it('are a patient’s own at any clinic, and a clinic’s for staff', () => {
    expect(rowsOf(caller('patient', { clinicId: CLINIC }))).toEqual({ patientId: PATIENT });
    expect(rowsOf(caller('clinic_admin'))).toEqual({ clinicId: CLINIC });
    expect(rowsOf(caller('support'), OTHER_CLINIC)).toEqual({ clinicId: OTHER_CLINIC });
    expect(() => rowsOf(caller('support'))).toThrow('validation_failed');
  });

  it('do not exist for staff of another clinic', () => {
    expect(clinicFor(caller('clinic_admin'), CLINIC)).toBe(CLINIC);
    expect(() => clinicFor(caller('clinic_admin'), OTHER_CLINIC)).toThrow('not_found');
    expect(() => clinicFor(caller('provider'), OTHER_CLINIC)).toThrow('not_found');
    expect(() => clinicFor(caller('clinic_admin'), undefined)).toThrow('not_found');
    expect(clinicFor(caller('patient'), OTHER_CLINIC)).toBe(OTHER_CLINIC);
  });

  it('are at the clinic that support and operators name, unless their token names one', () => {
    expect(clinicFor(caller('support'), OTHER_CLINIC)).toBe(OTHER_CLINIC);
    expect(() => clinicFor(caller('support', { clinicId: CLINIC }), OTHER_CLINIC)).toThrow('not_found');
    expect(namedClinic(caller('support'), CLINIC, 'query')).toBe(CLINIC);
    expect(() => namedClinic(caller('support'), undefined, 'query')).toThrow('validation_failed');
    expect(namedClinic(caller('clinic_admin'), undefined, 'query')).toBe(CLINIC);
    expect(() => namedClinic(caller('clinic_admin'), OTHER_CLINIC, 'query')).toThrow('not_found');
  });

  it('are never another patient’s', () => {
    assertOwnPatient(caller('patient'), PATIENT);
    assertOwnPatient(caller('clinic_admin'), OTHER_PATIENT);
    expect(() => assertOwnPatient(caller('patient'), OTHER_PATIENT)).toThrow('not_found');
  });
});

describe('the actor in the audit', () => {
  it('is a patient or staff, by the token’s subject', () => {
    expect(actorOf(caller('patient'))).toEqual({ kind: 'patient', id: 'patient-1' });
    for (const role of ['provider', 'clinic_admin', 'support', 'operator'] as const) {
      expect(actorOf(caller(role)).kind).toBe('staff');
    }
  });
});
