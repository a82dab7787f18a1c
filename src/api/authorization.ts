import { AppError } from '../domain/errors.ts';
import type { RowContext } from '../db/connection.ts';
import type { Actor } from '../scheduling/act.ts';
import type { Caller, Role } from './authentication.ts';
import { invalidField, RequestError } from './problem.ts';

/** The scopes of an access token. */
export const SCOPES = [
  'availability:read',
  'appointments:read',
  'appointments:write',
  'appointments:attend',
  'schedule:write',
  'waitlist:write',
  'notifications:read',
  'notifications:replay',
  'reports:read',
  'clinic:write',
  'ehr:sync',
  'operations:read',
] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * What of the things an operation is about a role may touch.
 * `own`: a patient's own, at any clinic; a provider's own, at theirs. `clinic`: everything of the token's clinic, or of every clinic for support and
 * operators whose token names none. `any`: everything there is.
 */
export type Reach = 'own' | 'clinic' | 'any';

export interface Rule {
  /** One of these scopes is needed. */
  readonly scopes: readonly Scope[];
  readonly roles: Readonly<Partial<Record<Role, Reach>>>;
}

/** The one table: who may do what. A role that is not listed may not, whatever its scopes. */
export const OPERATIONS = {
  searchAvailability: {
    scopes: ['availability:read'],
    roles: { patient: 'any', provider: 'clinic', clinic_admin: 'clinic' },
  },
  listProviders: {
    scopes: ['availability:read'],
    roles: { patient: 'any', provider: 'clinic', clinic_admin: 'clinic' },
  },
  readProvider: {
    scopes: ['availability:read'],
    roles: { patient: 'any', provider: 'clinic', clinic_admin: 'clinic' },
  },
  bookAppointment: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  bookAppointmentSeries: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  moveAppointment: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  cancelAppointment: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  readAppointment: {
    scopes: ['appointments:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  readAppointmentSeries: {
    scopes: ['appointments:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  listAppointments: {
    scopes: ['appointments:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  readTimeline: {
    scopes: ['appointments:read', 'notifications:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic', support: 'clinic' },
  },
  listUnmarkedVisits: { scopes: ['appointments:attend'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  attendAppointment: { scopes: ['appointments:attend'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  overrideRules: { scopes: ['schedule:write'], roles: { clinic_admin: 'clinic' } },
  placeHold: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  readHold: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  extendHold: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  releaseHold: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  joinWaitlist: { scopes: ['waitlist:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  listWaitlist: { scopes: ['waitlist:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  leaveWaitlist: { scopes: ['waitlist:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  readNotifications: { scopes: ['notifications:read'], roles: { clinic_admin: 'clinic', support: 'clinic' } },
  replayNotifications: { scopes: ['notifications:replay'], roles: { clinic_admin: 'clinic', support: 'clinic' } },
  readReplay: {
    scopes: ['notifications:read', 'notifications:replay'],
    roles: { clinic_admin: 'clinic', support: 'clinic' },
  },
  listClinics: {
    scopes: ['availability:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  readClinic: {
    scopes: ['availability:read'],
    roles: { patient: 'any', provider: 'clinic', clinic_admin: 'clinic' },
  },
  changeClinic: { scopes: ['clinic:write'], roles: { clinic_admin: 'clinic' } },
  readPolicy: { scopes: ['availability:read'], roles: { provider: 'clinic', clinic_admin: 'clinic' } },
  changePolicy: { scopes: ['clinic:write'], roles: { clinic_admin: 'clinic' } },
  createProvider: { scopes: ['clinic:write'], roles: { clinic_admin: 'clinic' } },
  changeProvider: { scopes: ['clinic:write'], roles: { clinic_admin: 'clinic' } },
  readSchedule: {
    scopes: ['availability:read', 'schedule:write'],
    roles: { provider: 'clinic', clinic_admin: 'clinic' },
  },
  changeSchedule: { scopes: ['schedule:write'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  changeClosures: { scopes: ['schedule:write'], roles: { clinic_admin: 'clinic' } },
  createPatient: { scopes: ['appointments:write'], roles: { clinic_admin: 'clinic' } },
  listPatients: { scopes: ['appointments:read'], roles: { provider: 'clinic', clinic_admin: 'clinic' } },
  readPatient: {
    scopes: ['appointments:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  changePatient: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  registerPatient: { scopes: ['appointments:write'], roles: { patient: 'own' } },
  endRegistration: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  callInSick: { scopes: ['schedule:write'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  listSickDays: { scopes: ['schedule:write'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  readSickDay: { scopes: ['schedule:write'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  controlSickDay: { scopes: ['schedule:write'], roles: { provider: 'own', clinic_admin: 'clinic' } },
  listOffers: {
    scopes: ['appointments:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  readOffer: {
    scopes: ['appointments:read'],
    roles: { patient: 'own', provider: 'clinic', clinic_admin: 'clinic' },
  },
  answerOffer: { scopes: ['appointments:write'], roles: { patient: 'own', clinic_admin: 'clinic' } },
  listTasks: { scopes: ['appointments:read'], roles: { provider: 'clinic', clinic_admin: 'clinic' } },
  resolveTask: { scopes: ['appointments:write'], roles: { clinic_admin: 'clinic' } },
  syncEhr: { scopes: ['ehr:sync'], roles: { clinic_admin: 'clinic', operator: 'clinic' } },
} as const satisfies Record<string, Rule>;

export type Operation = keyof typeof OPERATIONS;

/** What the caller may touch with this operation. @throws RequestError `forbidden` when the role or the scope is missing */
export function authorize(caller: Caller, operation: Operation): Reach {
  const rule: Rule = OPERATIONS[operation];
  const reach = rule.roles[caller.role];
  if (reach !== undefined && rule.scopes.some((scope) => caller.scopes.has(scope))) return reach;
  throw new RequestError('forbidden', {
    headers: {
      'www-authenticate': `Bearer realm="mediconnect", error="insufficient_scope", scope="${rule.scopes.join(' ')}"`,
    },
  });
}

/**
 * Whose rows this caller's own reads see: a patient's own at every clinic; else one clinic's, the token's unless another is given.
 * @throws RequestError `validation_failed` when neither names one: support and operators say which
 */
export function rowsOf(caller: Caller, clinicId = caller.clinicId): RowContext {
  if (caller.role === 'patient') return { patientId: patientOf(caller) };
  if (clinicId === undefined) throw invalidField('query', '/clinicId', 'required');
  return { clinicId };
}

/**
 * The clinic to work in, for a thing that belongs to `clinicOfThing` (undefined: there is no such thing). Staff of another clinic are told what they
 * would be told if it did not exist.
 * @throws AppError `not_found`
 */
export function clinicFor(caller: Caller, clinicOfThing: string | undefined): string {
  if (clinicOfThing === undefined) throw new AppError('not_found');
  const ofStaff = staffClinicOf(caller);
  if (ofStaff !== undefined && ofStaff !== clinicOfThing) throw new AppError('not_found');
  return clinicOfThing;
}

/** The clinic outside which this caller sees nothing; undefined for patients, and for staff who work for every clinic. */
export function staffClinicOf(caller: Caller): string | undefined {
  return caller.role === 'patient' ? undefined : caller.clinicId;
}

/** The clinic whose list is asked for: the token's, or the one that is named. @throws AppError `not_found`, `validation_failed` */
export function namedClinic(caller: Caller, named: string | undefined, part: 'query' | 'body'): string {
  const clinicId = named ?? staffClinicOf(caller);
  if (clinicId === undefined) throw invalidField(part, '/clinicId', 'required');
  return clinicFor(caller, clinicId);
}

/** A patient speaks for nobody else. @throws AppError `not_found` */
export function assertOwnPatient(caller: Caller, patientId: string): void {
  if (caller.role === 'patient' && caller.patientId !== patientId) throw new AppError('not_found');
}

/** Who this is to the doors and the audit. */
export function actorOf(caller: Caller): Actor {
  return { kind: caller.role === 'patient' ? 'patient' : 'staff', id: caller.subject };
}

function patientOf(caller: Caller): string {
  if (caller.patientId === undefined) throw new AppError('internal_error');
  return caller.patientId;
}
