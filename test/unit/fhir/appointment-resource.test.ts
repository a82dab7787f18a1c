import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Appointment } from 'fhir/r4.js';
import { loadValidator } from '../../../sandbox/ehr/validation.ts';
import { CANCEL_REASONS, CANCELLED_BY, type CancelledBy, type CancelReason } from '../../../src/domain/appointment.ts';
import {
  appointmentResource,
  identifierToken,
  IDENTIFIER_SYSTEMS,
  isStoredAsTold,
  mergeInto,
  saysTheSame,
  VERSION_TAG_SYSTEM,
  type AppointmentFacts,
} from '../../../src/integrations/fhir/appointment-resource.ts';
import { APPOINTMENT_ID, facts } from './facts.ts';

const validate = loadValidator();
const problems = (resource: Appointment) => validate(resource as unknown as Parameters<typeof validate>[0]);
const resourceOf = (given: Partial<AppointmentFacts> = {}) => appointmentResource(facts(given), 'checked-in');

const checkedInAt = new Date('2027-03-15T08:55:00Z');
const STATES: readonly [string, Partial<AppointmentFacts>, Appointment['status']][] = [
  ['scheduled', {}, 'booked'],
  ['scheduled and checked in', { checkedInAt }, 'checked-in'],
  ['completed', { status: 'COMPLETED' }, 'fulfilled'],
  ['completed after checking in', { status: 'COMPLETED', checkedInAt }, 'fulfilled'],
  ['no-show', { status: 'NO_SHOW' }, 'noshow'],
  ...CANCELLED_BY.flatMap((cancelledBy) =>
    [...CANCEL_REASONS, null].map((cancelReason): [string, Partial<AppointmentFacts>, Appointment['status']] => [
      `cancelled by ${cancelledBy} for ${cancelReason ?? 'no reason'}`,
      { status: 'CANCELLED', cancelledBy, cancelReason },
      'cancelled',
    ]),
  ),
];

describe('an appointment as FHIR R4', () => {
  it.each(STATES)('is valid when it is %s', (_name, given, status) => {
    const resource = resourceOf(given);
    expect(problems(resource)).toEqual([]);
    expect(resource.status).toBe(status);
  });

  it('is checked by validators that find a wrong code, a broken invariant, an instant without a zone and an unknown element', () => {
    const wrong: Record<string, unknown>[] = [
      { ...resourceOf(), status: 'BOOKED' },
      { ...resourceOf(), cancelationReason: { text: 'left over' } },
      { ...resourceOf(), start: '2027-03-15T09:00:00' },
      { ...resourceOf(), minutesDuration: 0 },
      { ...resourceOf({ status: 'CANCELLED' }), cancellationReason: { text: 'spelt as in R5' } },
    ];
    for (const resource of wrong) expect(problems(resource as unknown as Appointment)).not.toEqual([]);
  });

  it('names the visit, the patient, the practitioner and the place by identifiers of ours', () => {
    const { identifier, participant } = resourceOf();
    expect(identifier).toEqual([{ system: IDENTIFIER_SYSTEMS.appointment, value: APPOINTMENT_ID }]);
    expect(identifierToken(APPOINTMENT_ID)).toBe(`${IDENTIFIER_SYSTEMS.appointment}|${APPOINTMENT_ID}`);
    expect(participant.map(({ actor, status }) => [actor?.type, actor?.identifier?.system, status])).toEqual([
      ['Patient', IDENTIFIER_SYSTEMS.patient, 'accepted'],
      ['Practitioner', IDENTIFIER_SYSTEMS.practitioner, 'accepted'],
      ['Location', IDENTIFIER_SYSTEMS.location, 'accepted'],
    ]);
  });

  it('gives its instants in UTC and its length in minutes', () => {
    const resource = resourceOf({ appointmentTime: new Date('2027-03-28T02:30:00+02:00'), durationMinutes: 45 });
    expect(resource).toMatchObject({
      start: '2027-03-28T00:30:00.000Z',
      end: '2027-03-28T01:15:00.000Z',
      minutesDuration: 45,
    });
  });

  it('says arrived to an EHR that wants to hear it so', () => {
    expect(appointmentResource(facts({ checkedInAt }), 'arrived').status).toBe('arrived');
  });

  const reasons: [CancelReason | null, CancelledBy | null, string][] = [
    ['patient_request', 'staff', 'pat'],
    ['provider_unavailable', 'staff', 'prov'],
    ['clinic_closed', 'staff', 'other'],
    ['duplicate', 'system', 'oth-oerr'],
    ['other', 'patient', 'pat'],
    ['other', 'staff', 'prov'],
    [null, null, 'other'],
  ];
  it.each(reasons)('tells a cancellation for %s by %s as %s', (cancelReason, cancelledBy, code) => {
    const { cancelationReason } = resourceOf({ status: 'CANCELLED', cancelReason, cancelledBy });
    expect(cancelationReason?.coding?.[0]?.code).toBe(code);
  });

  it('gives no reason for anything but a cancellation, even if the row still has one', () => {
    expect(resourceOf({ cancelReason: 'other', cancelledBy: 'staff' })).not.toHaveProperty('cancelationReason');
  });

  it('is tagged with the version it was made from', () => {
    expect(resourceOf({ version: 7 }).meta?.tag).toEqual([{ system: VERSION_TAG_SYSTEM, code: '7' }]);
  });
});

describe('recognising a visit at the EHR', () => {
  const ours = resourceOf();

  it('looks past how a server writes instants, what it adds and which version it is', () => {
    const stored: Appointment = {
      ...ours,
      id: '42',
      meta: { versionId: '9', lastUpdated: '2027-03-02T00:00:00Z', tag: [] },
      identifier: [{ system: 'urn:ehr:visit', value: 'V-1' }, ...(ours.identifier ?? [])],
      start: '2027-03-15T10:00:00.000+01:00',
      end: '2027-03-15T10:30:00+01:00',
      comment: 'bring the form',
      participant: [{ actor: { reference: 'Location/room-3' }, status: 'accepted' }, ...ours.participant.toReversed()],
    };
    delete stored.minutesDuration;
    expect(saysTheSame(stored, ours)).toBe(true);
  });

  const changes: [string, Partial<AppointmentFacts>][] = [
    ['its status', { status: 'COMPLETED' }],
    ['its start', { appointmentTime: new Date('2027-03-15T09:15:00Z') }],
    ['its length', { durationMinutes: 45 }],
    ['its patient', { patientId: '019a8f00-0000-7000-8000-0000000000ff' }],
    ['its provider', { providerId: '019a8f00-0000-7000-8000-0000000000ff' }],
  ];
  it.each(changes)('sees a change of %s', (_name, given) => {
    expect(saysTheSame(ours, resourceOf(given))).toBe(false);
  });

  it('sees another reason for the same cancellation', () => {
    const byPatient = resourceOf({ status: 'CANCELLED', cancelReason: 'patient_request' });
    const byProvider = resourceOf({ status: 'CANCELLED', cancelReason: 'provider_unavailable' });
    expect(saysTheSame(byPatient, byProvider)).toBe(false);
  });

  it('sees that a server stored another status or time than it was told, and lets it drop a reason', () => {
    const told = resourceOf({ status: 'CANCELLED', cancelReason: 'other' });
    const { cancelationReason, ...withoutReason } = told;
    expect(cancelationReason).toBeDefined();
    expect(isStoredAsTold(told, withoutReason)).toBe(true);
    expect(isStoredAsTold(ours, { ...ours, status: 'pending' })).toBe(false);
    expect(isStoredAsTold(ours, { ...ours, start: '2027-03-15T09:05:00Z' })).toBe(false);
  });
});

describe('writing over what an EHR holds', () => {
  const room = { actor: { reference: 'Device/scanner-2' }, status: 'accepted' as const };
  const stored: Appointment = {
    ...resourceOf({ status: 'CANCELLED', cancelReason: 'other' }),
    id: '42',
    meta: { versionId: '9', lastUpdated: '2027-03-02T00:00:00Z', profile: ['http://ehr.example/profile'] },
    identifier: [{ system: 'urn:ehr:visit', value: 'V-1' }, ...(resourceOf().identifier ?? [])],
    comment: 'bring the form',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Cancelled</div>' },
    created: '2027-03-01T13:00:00Z',
  };
  stored.participant.push(room);

  it('says what we say and keeps what is the EHR’s', () => {
    const ours = resourceOf({ version: 4, appointmentTime: new Date('2027-03-16T11:00:00Z') });
    const merged = mergeInto(stored, ours);
    expect(saysTheSame(merged, ours)).toBe(true);
    expect(problems(merged)).toEqual([]);
    expect(merged).toMatchObject({ id: '42', comment: 'bring the form', created: '2027-03-01T13:00:00Z' });
    expect(merged.identifier).toContainEqual({ system: 'urn:ehr:visit', value: 'V-1' });
    expect(merged.participant).toContainEqual(room);
    expect(merged.participant).toHaveLength(4);
    expect(merged).not.toHaveProperty('cancelationReason');
    expect(merged).not.toHaveProperty('text');
    expect(merged.meta).toEqual({ profile: ['http://ehr.example/profile'], tag: ours.meta?.tag });
  });

  it('does not double the people of an EHR that turned our identifiers into references of its own', () => {
    const rewritten: Appointment = {
      ...stored,
      participant: [
        { actor: { reference: 'Patient/7' }, status: 'accepted' },
        { actor: { reference: 'https://ehr.example/fhir/Practitioner/8' }, status: 'accepted' },
        { actor: { type: 'Location', display: 'Main building' }, status: 'accepted' },
        room,
      ],
    };
    const merged = mergeInto(rewritten, resourceOf());
    expect(merged.participant).toEqual([room, ...resourceOf().participant]);
  });

  it('is valid and says what we say, whatever was there before', () => {
    const state = fc.record({
      state: fc.constantFrom(...STATES.map(([, given]) => given)),
      durationMinutes: fc.integer({ min: 1, max: 1_440 }),
      appointmentTime: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      version: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(state, state, (before, after) => {
        const old = { ...resourceOf({ ...before, ...before.state }), id: '1' };
        const wanted = resourceOf({ ...after, ...after.state });
        const merged = mergeInto(old, wanted);
        expect(saysTheSame(merged, wanted)).toBe(true);
        expect(merged.meta?.tag).toEqual(wanted.meta?.tag);
        expect(problems(merged)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
