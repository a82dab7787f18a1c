import type {
  Appointment,
  AppointmentParticipant,
  CodeableConcept,
  Coding,
  Identifier,
  Meta,
  Reference,
} from 'fhir/r4.js';
import type { AppointmentStatus, CancelledBy, CancelReason } from '../../domain/appointment.ts';

/*
 * Our appointment as FHIR R4 (hl7.org/fhir/R4/appointment.html) and back as far as recognising it goes. Pure: no clock, no network.
 */

const OURS = 'https://mediconnect.example/fhir';

/** The identifier systems that MediConnect owns; the value is always our UUID. The appointment's is the key by which an EHR finds it again. */
export const IDENTIFIER_SYSTEMS = {
  appointment: `${OURS}/identifier/appointment`,
  patient: `${OURS}/identifier/patient`,
  practitioner: `${OURS}/identifier/practitioner`,
  location: `${OURS}/identifier/location`,
} as const;

/** The tag that says which version of our appointment was written: for people who compare both sides, never for deciding. */
export const VERSION_TAG_SYSTEM = `${OURS}/CodeSystem/appointment-version`;

const CANCELLATION_REASONS = 'http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason';

/** What the resource is made from. */
export interface AppointmentFacts {
  readonly appointmentId: string;
  readonly patientId: string;
  readonly providerId: string;
  readonly clinicId: string;
  readonly appointmentTime: Date;
  readonly durationMinutes: number;
  readonly status: AppointmentStatus;
  readonly checkedInAt: Date | null;
  readonly cancelledBy: CancelledBy | null;
  readonly cancelReason: string | null;
  readonly createdAt: Date;
  readonly version: number;
}

/** How an EHR wants to hear that the patient is here: Oracle Health completes only what is `checked-in`, others know `arrived` alone. */
export type CheckedInStatus = 'arrived' | 'checked-in';

/** The appointment as it is told to an EHR. Instants in UTC: R4 has no zone name. People and places are named by our identifiers. */
export function appointmentResource(facts: AppointmentFacts, checkedInAs: CheckedInStatus): Appointment {
  const start = facts.appointmentTime;
  const end = new Date(start.getTime() + facts.durationMinutes * 60_000);
  return {
    resourceType: 'Appointment',
    meta: { tag: [{ system: VERSION_TAG_SYSTEM, code: String(facts.version) }] },
    identifier: [{ system: IDENTIFIER_SYSTEMS.appointment, value: facts.appointmentId }],
    status: statusOf(facts, checkedInAs),
    // Invariant app-4 allows it with cancelled and noshow only; R4 spells it with one l.
    ...(facts.status === 'CANCELLED' ? { cancelationReason: cancelationReason(facts) } : {}),
    start: start.toISOString(),
    end: end.toISOString(),
    minutesDuration: facts.durationMinutes,
    created: facts.createdAt.toISOString(),
    participant: [
      participant('Patient', IDENTIFIER_SYSTEMS.patient, facts.patientId),
      participant('Practitioner', IDENTIFIER_SYSTEMS.practitioner, facts.providerId),
      participant('Location', IDENTIFIER_SYSTEMS.location, facts.clinicId),
    ],
  };
}

/** The search that finds an appointment by our identifier: `system|value`. */
export function identifierToken(appointmentId: string): string {
  return `${IDENTIFIER_SYSTEMS.appointment}|${appointmentId}`;
}

/**
 * Do both say the same about what MediConnect owns of a visit? What else an EHR keeps with it (its own numbers, a room, a note) does not count,
 * nor how it writes an instant. By content and not by version: servers raise a version without a change, and keep one through a rewrite.
 */
export function saysTheSame(left: Appointment, right: Appointment): boolean {
  return JSON.stringify(ownedContent(left)) === JSON.stringify(ownedContent(right));
}

/** Does the EHR hold the visit as it was told to? A write can be answered with success and stored otherwise: as pending, or at another time. */
export function isStoredAsTold(told: Appointment, stored: Appointment): boolean {
  return (
    told.status === stored.status &&
    instantOf(told.start) === instantOf(stored.start) &&
    instantOf(told.end) === instantOf(stored.end)
  );
}

/**
 * What to write over a resource that the EHR holds: what MediConnect owns is replaced, everything else stays as it is there.
 * Its narrative goes, because it told of the old content.
 */
export function mergeInto(stored: Appointment, ours: Appointment): Appointment {
  const generated = stored.text !== undefined && stored.text.status !== 'additional';
  const merged: Appointment = {
    ...without(stored, generated ? ['text', 'cancelationReason'] : ['cancelationReason']),
    ...ours,
    meta: mergedMeta(stored.meta, ours.meta),
    identifier: [...(stored.identifier ?? []).filter((one) => !isOur(one)), ...(ours.identifier ?? [])],
    participant: [...keptParticipants(stored), ...ours.participant],
  };
  // When it was created is the EHR's to say once it has it.
  return stored.created === undefined ? merged : { ...merged, created: stored.created };
}

function statusOf(facts: AppointmentFacts, checkedInAs: CheckedInStatus): Appointment['status'] {
  switch (facts.status) {
    case 'SCHEDULED':
      return facts.checkedInAt === null ? 'booked' : checkedInAs;
    case 'COMPLETED':
      return 'fulfilled';
    case 'CANCELLED':
      return 'cancelled';
    case 'NO_SHOW':
      return 'noshow';
  }
}

const BY_REASON: Readonly<Partial<Record<CancelReason, Coding>>> = {
  patient_request: { code: 'pat', display: 'Patient' },
  provider_unavailable: { code: 'prov', display: 'Provider' },
  duplicate: { code: 'oth-oerr', display: 'Other: Schedule Order Error' },
  clinic_closed: { code: 'other', display: 'Other' },
};
const BY_WHOM: Readonly<Record<CancelledBy, Coding>> = {
  patient: { code: 'pat', display: 'Patient' },
  staff: { code: 'prov', display: 'Provider' },
  system: { code: 'other', display: 'Other' },
  ehr: { code: 'other', display: 'Other' },
};

/** Says why by our coded reason; a reason that says nothing is told by who cancelled. */
function cancelationReason(facts: AppointmentFacts): CodeableConcept {
  const coding = BY_REASON[facts.cancelReason as CancelReason] ?? BY_WHOM[facts.cancelledBy ?? 'system'];
  return { coding: [{ system: CANCELLATION_REASONS, ...coding }] };
}

type ParticipantKind = 'Patient' | 'Practitioner' | 'Location';

function participant(type: ParticipantKind, system: string, value: string): AppointmentParticipant {
  return { actor: { type, identifier: { system, value } }, required: 'required', status: 'accepted' };
}

interface OwnedContent {
  readonly status: string;
  readonly reason: string | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly minutes: number | null;
  readonly participants: readonly string[];
}

function ownedContent(resource: Appointment): OwnedContent {
  const start = instantOf(resource.start);
  const end = instantOf(resource.end);
  return {
    status: resource.status,
    reason: resource.cancelationReason?.coding?.find((coding) => coding.system === CANCELLATION_REASONS)?.code ?? null,
    start,
    end,
    // Redundant beside start and end, and some servers drop it.
    minutes: resource.minutesDuration ?? (start === null || end === null ? null : (end - start) / 60_000),
    participants: resource.participant
      .filter((one) => isOur(one.actor?.identifier))
      .map((one) => `${one.actor?.identifier?.system ?? ''}|${one.actor?.identifier?.value ?? ''} ${one.status}`)
      .sort(),
  };
}

function instantOf(text: string | undefined): number | null {
  const instant = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

function isOur(identifier: Identifier | undefined): boolean {
  return identifier?.system?.startsWith(`${OURS}/identifier/`) ?? false;
}

/** The participants that are not ours to say. An EHR that turned our identifiers into references of its own keeps nobody of the kinds we name. */
function keptParticipants(stored: Appointment): AppointmentParticipant[] {
  const recognised = stored.participant.some((one) => isOur(one.actor?.identifier));
  return stored.participant.filter((one) =>
    recognised ? !isOur(one.actor?.identifier) : !OUR_KINDS.has(kindOf(one.actor)),
  );
}

const OUR_KINDS: ReadonlySet<string | undefined> = new Set<ParticipantKind>(['Patient', 'Practitioner', 'Location']);

function kindOf(actor: Reference | undefined): string | undefined {
  return (
    actor?.type ?? /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/|$)/.exec(actor?.reference ?? '')?.[1]
  );
}

/** The server writes versionId and lastUpdated itself; profiles, labels and other tags are the EHR's. */
function mergedMeta(stored: Meta | undefined, ours: Meta | undefined): Meta {
  const kept = (stored?.tag ?? []).filter((one) => one.system !== VERSION_TAG_SYSTEM);
  return { ...without(stored ?? {}, ['versionId', 'lastUpdated']), tag: [...kept, ...(ours?.tag ?? [])] };
}

function without<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Omit<T, K> {
  const rest = { ...value };
  for (const key of keys) Reflect.deleteProperty(rest, key);
  return rest;
}
