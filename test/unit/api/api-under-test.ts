import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createApp, type ApiDeps } from '../../../src/api/app.ts';
import { createReadiness, type Checks } from '../../../src/api/health/readiness.ts';
import type { AppointmentRow } from '../../../src/db/appointments.ts';
import { aToken, SCOPES, TEST_JWT } from '../../support/tokens.ts';

export const CLINIC = '01980000-0000-7000-8000-00000000c001';
export const OTHER_CLINIC = '01980000-0000-7000-8000-00000000c002';
export const PROVIDER = '01980000-0000-7000-8000-00000000d001';
export const OTHER_PROVIDER = '01980000-0000-7000-8000-00000000d002';
export const PATIENT = '01980000-0000-7000-8000-00000000e001';
export const OTHER_PATIENT = '01980000-0000-7000-8000-00000000e002';
export const APPOINTMENT = '01980000-0000-7000-8000-00000000a001';
export const MISSING = '01980000-0000-7000-8000-0000000fffff';

/** A part that a test has not given: calling it fails the request, and so the test. */
function unexpected<T extends object>(what: string, given: Partial<T>): T {
  return new Proxy(given as T, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (() => {
        throw new Error(`${what}.${String(name)} was not expected to be called`);
      }),
  });
}

/** The API over parts that do what the test says; everything else must not be called. */
export function anApi(
  given: {
    readonly doors?: Partial<ApiDeps['doors']>;
    readonly reads?: Partial<ApiDeps['reads']>;
    readonly callbacks?: Partial<ApiDeps['callbacks']>;
    readonly readiness?: Partial<Checks>;
    readonly trustsProxy?: ApiDeps['trustsProxy'];
    readonly limiter?: ApiDeps['rateLimit']['limiter'];
    readonly logger?: ApiDeps['logger'];
  } = {},
): Promise<FastifyInstance> {
  return createApp({
    logger: given.logger ?? pino({ level: 'silent' }),
    publicUrl: 'https://api.test',
    ...(given.trustsProxy === undefined ? {} : { trustsProxy: given.trustsProxy }),
    jwt: TEST_JWT,
    rateLimit: {
      size: { limit: 100, windowMs: 60_000 },
      limiter: given.limiter ?? (() => Promise.resolve({ allowed: true, remaining: 99, roomInMs: 60_000 })),
    },
    doors: unexpected('doors', given.doors ?? {}),
    reads: unexpected('reads', given.reads ?? {}),
    callbacks: unexpected('callbacks', given.callbacks ?? {}),
    files: unexpected('files', {}),
    readiness: createReadiness({
      isDraining: () => false,
      isDatabaseUp: () => Promise.resolve(true),
      pendingMigrations: () => Promise.resolve([]),
      reported: { redis: () => Promise.resolve(true) },
      ...given.readiness,
    }),
    now: () => new Date('2030-01-07T09:00:00Z'),
  });
}

async function bearer(claims: Parameters<typeof aToken>[0]): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await aToken(claims)}` };
}

export const asPatient = (patientId = PATIENT) =>
  bearer({ sub: patientId, role: 'patient', scope: SCOPES.patient, patient_id: patientId });

export const asAdmin = (clinicId = CLINIC) =>
  bearer({ sub: 'admin-1', role: 'clinic_admin', scope: SCOPES.clinicAdmin, clinic_id: clinicId });

export const asProvider = (providerId = PROVIDER) =>
  bearer({ sub: providerId, role: 'provider', scope: SCOPES.provider, clinic_id: CLINIC, provider_id: providerId });

export const asSupport = (clinicId?: string) =>
  bearer({
    sub: 'support-1',
    role: 'support',
    scope: SCOPES.support,
    ...(clinicId === undefined ? {} : { clinic_id: clinicId }),
  });

export function anAppointment(given: Partial<AppointmentRow> = {}): AppointmentRow {
  const at = new Date('2030-01-01T00:00:00Z');
  return {
    appointment_id: APPOINTMENT,
    patient_id: PATIENT,
    provider_id: PROVIDER,
    clinic_id: CLINIC,
    appointment_time: new Date('2030-01-10T10:00:00Z'),
    duration_minutes: 30,
    status: 'SCHEDULED',
    confirmation_code: 'ABC234',
    booked_via: 'api',
    time_set_at: at,
    time_set_version: 1,
    checked_in_at: null,
    cancelled_at: null,
    cancelled_by: null,
    cancel_reason: null,
    cancelled_late: null,
    policy_version: 1,
    ehr_version: 0,
    moves: 0,
    override_rules: [],
    override_reason: null,
    series_id: null,
    series_index: null,
    notice_visits: 1,
    announced_by: null,
    next_action: 'reminder:P3D',
    next_action_at: new Date('2030-01-07T10:00:00Z'),
    reminder_state: 'PLANNED',
    created_at: at,
    updated_at: at,
    version: 3,
    ...given,
  };
}

export const BOOKING = {
  patientId: PATIENT,
  providerId: PROVIDER,
  appointmentTime: '2030-01-10T10:00:00Z',
  durationMinutes: 30,
};
